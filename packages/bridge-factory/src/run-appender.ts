import type { AppendResult, EventLog, Producer } from '@runwire/event-log';
import type { RunId, UserId } from '@runwire/id-generation';
import type { Deferred } from '@runwire/kernel';
import type { EventDraft } from '@runwire/protocol';
import { AppendQueue, type Batch, type QueueItem } from './append-queue.js';
import type { AppendTurn } from './append-turn.js';
import { BridgeError } from './errors.js';
import type { LogBudget } from './log-budget.js';
import type { ResolvedBridgeOptions } from './options.js';
import { quietDeferred, quietRejection } from './quiet-promises.js';

/** What a run's appends are built from. */
export interface RunAppenderDeps {
  readonly log: Pick<EventLog, 'append'>;
  /** Shared by the user's runs. */
  readonly budget: LogBudget;
  /** Shared by all runs: calls `appendGathered` of those that have begun to gather. */
  readonly turn: AppendTurn;
  readonly options: ResolvedBridgeOptions['emit'];
}

/** Whose appends they are. */
export interface RunIdentity {
  readonly userId: UserId;
  readonly runId: RunId;
  readonly attempt: number;
}

/** A place in the order, for an event that is not complete yet. */
export interface HeldPlace {
  /** Settles like an event that was enqueued in the place's stead. */
  fill(draft: EventDraft, bytes: number): Promise<void>;
  /** Gives the place up. */
  cancel(): void;
}

const DONE = Promise.resolve();

/**
 * Appends the events of one run strictly in order. What a run emits without waiting goes in one append; so does what
 * comes while an append is under way, in the next one.
 */
export class RunAppender {
  readonly #deps: RunAppenderDeps;
  readonly #run: RunIdentity;
  readonly #queue: AppendQueue;
  /** Who waits for an event of the append under way; its drafts are the log's alone, to be forgotten early. */
  #inFlight: Batch['waiting'] | undefined;
  #inFlightBytes = 0;
  /** Made when somebody waits for all that is in flight. */
  #landed: Deferred<void> | undefined;
  /** Queued and in flight. */
  #pendingBytes = 0;
  #appends = 0;
  /** Its turn to append is to come. */
  #isGathering = false;
  /** While the budget is waited for: waits no longer. */
  #leaveQueue: (() => void) | undefined;
  #room: Deferred<void> | undefined;
  #refusal: BridgeError | undefined;
  /** Of every append: one pair for all of them, because a run's events mostly go one by one. */
  readonly #onAppended: (result: AppendResult) => void;
  readonly #onFailed: (cause: unknown) => void;

  constructor(run: RunIdentity, deps: RunAppenderDeps) {
    this.#run = run;
    this.#deps = deps;
    this.#queue = new AppendQueue(deps.options.maxAppendBytes);
    this.#onAppended = (result) => this.#appended(result);
    this.#onFailed = (cause) => this.#failed(cause);
  }

  /** Why nothing more is taken: failed or closed. */
  get refusal(): BridgeError | undefined {
    return this.#refusal;
  }

  /** The key of the next append. */
  get nextProducer(): Producer {
    return { id: this.#run.runId, attempt: this.#run.attempt, n: this.#appends + 1 };
  }

  /** Takes an event; settles when the log has it. */
  enqueue(draft: EventDraft, bytes: number): Promise<void> {
    const done = quietDeferred();
    this.#take({ draft, bytes, done });
    return done.promise;
  }

  /** Takes an event that nobody waits for by itself. */
  enqueueUnawaited(draft: EventDraft, bytes: number): void {
    this.#take({ draft, bytes, done: undefined });
  }

  /** Takes a place in the order; nothing behind it is appended before it is filled or given up. */
  hold(bytes: number): HeldPlace {
    const done = quietDeferred();
    const item: QueueItem = { draft: undefined, bytes, done };
    this.#take(item);
    return {
      fill: (draft, filledBytes) => {
        if (this.#queue.indexOf(item) >= 0) this.#pendingBytes += filledBytes - item.bytes;
        item.draft = draft;
        item.bytes = filledBytes;
        this.#pump();
        return done.promise;
      },
      cancel: () => {
        const at = this.#queue.indexOf(item);
        if (at === -1) return;
        this.#queue.remove(at);
        this.#pendingBytes -= item.bytes;
        // Whoever waits for everything up to this place now waits for what is before it.
        this.#settledUpTo(at - 1).then(
          () => done.resolve(),
          (cause: unknown) => done.reject(cause),
        );
        this.#giveRoom();
        this.#pump();
      },
    };
  }

  /** Settles when there is room for more. */
  whenRoom(): Promise<void> {
    if (this.#refusal !== undefined) return quietRejection(this.#refusal);
    if (this.#pendingBytes <= this.#deps.options.maxPendingBytes) return DONE;
    this.#room ??= quietDeferred();
    return this.#room.promise;
  }

  /** Settles when everything taken so far is in the log. */
  settled(): Promise<void> {
    return this.#settledUpTo(this.#queue.length - 1);
  }

  /** Appends the last event of the run, alone. Everything else must have settled; works after `close`. */
  appendLast(draft: EventDraft, bytes: number): Promise<void> {
    if (this.#hasFailed) return quietRejection(this.#refusal);
    const done = quietDeferred();
    this.#pendingBytes += bytes;
    this.#append({ drafts: [draft], bytes, waiting: [done] });
    return done.promise;
  }

  /** Drops what is queued. An append under way settles as it will. */
  close(refusal: BridgeError): void {
    if (this.#refusal !== undefined) return;
    this.#refusal = refusal;
    this.#leaveQueue?.();
    this.#leaveQueue = undefined;
    for (const item of this.#queue.takeAll()) {
      this.#pendingBytes -= item.bytes;
      item.done?.reject(refusal);
    }
    this.#room?.reject(refusal);
    this.#room = undefined;
  }

  /** Too much of something: the run has failed, and nothing more is taken. */
  overflow(what: string, details: Readonly<Record<string, number>>): BridgeError {
    const error = new BridgeError('EMIT_OVERFLOW', `${what}: the run has failed.`, { details });
    this.close(error);
    return error;
  }

  get #hasFailed(): boolean {
    return this.#refusal !== undefined && this.#refusal.code !== 'EMITTER_CLOSED';
  }

  /** `index` is a place in the queue, -1 what is before it. */
  #settledUpTo(index: number): Promise<void> {
    const item = this.#queue.at(index);
    if (item !== undefined) {
      item.done ??= quietDeferred();
      return item.done.promise;
    }
    if (this.#inFlight !== undefined) {
      this.#landed ??= quietDeferred();
      return this.#landed.promise;
    }
    return this.#hasFailed ? quietRejection(this.#refusal) : DONE;
  }

  #take(item: QueueItem): void {
    if (!this.#makeRoom(item.bytes)) {
      if (this.#refusal !== undefined) item.done?.reject(this.#refusal);
      return;
    }
    if (!this.#isGathering && this.#inFlight === undefined) {
      this.#isGathering = true;
      this.#deps.turn.add(this);
    }
    this.#queue.push(item);
    if (this.#isGathering) this.#deps.turn.count();
  }

  /** Appends what was emitted since the run was idle. */
  appendGathered(): void {
    this.#isGathering = false;
    this.#pump();
  }

  /** Counts what is to be taken; false when nothing more may be. */
  #makeRoom(bytes: number): boolean {
    if (this.#refusal !== undefined) return false;
    this.#pendingBytes += bytes;
    const { maxUnawaitedBytes } = this.#deps.options;
    if (this.#pendingBytes <= maxUnawaitedBytes) return true;
    this.#pendingBytes -= bytes;
    this.overflow(`More than ${maxUnawaitedBytes} bytes were emitted without awaiting`, {
      maxUnawaitedBytes,
    });
    return false;
  }

  #pump(): void {
    if (this.#inFlight !== undefined || this.#refusal !== undefined) return;
    if (!this.#queue.isReady || this.#leaveQueue !== undefined) return;
    const { budget } = this.#deps;
    if (budget.isOpen) this.#appendNext();
    else this.#leaveQueue = budget.wait(() => this.#appendNext());
  }

  #appendNext(): void {
    this.#leaveQueue = undefined;
    this.#append(this.#queue.takeBatch());
  }

  #append(batch: Batch): void {
    const { log, budget } = this.#deps;
    const producer = this.nextProducer;
    this.#appends += 1;
    this.#inFlight = batch.waiting;
    this.#inFlightBytes = batch.bytes;
    budget.take(batch.bytes);
    // Not awaited: an async function takes as much as all the rest of an append that has one event.
    log.append(this.#run.userId, batch.drafts, { producer }).then(this.#onAppended, this.#onFailed);
  }

  #appended({ duplicate }: AppendResult): void {
    const waiting = this.#inFlight ?? [];
    // The log kept what another emitter appended under this key, and dropped this.
    if (duplicate) {
      this.#failed(new Error(`Append ${this.#appends} of attempt ${this.#run.attempt} was done before.`));
      return;
    }
    const landed = this.#landed;
    this.#inFlight = undefined;
    this.#landed = undefined;
    this.#pendingBytes -= this.#inFlightBytes;
    this.#pump();
    for (const done of waiting) done.resolve();
    landed?.resolve();
    this.#giveRoom();
  }

  #failed(cause: unknown): void {
    const waiting = this.#inFlight ?? [];
    const { runId } = this.#run;
    const error = new BridgeError('EMIT_FAILED', `An event of run ${runId} could not be appended.`, {
      cause,
    });
    const landed = this.#landed;
    this.#inFlight = undefined;
    this.#landed = undefined;
    this.close(error);
    this.#pendingBytes = 0;
    // A run that was closed meanwhile has failed all the same.
    this.#refusal = error;
    for (const done of waiting) done.reject(error);
    landed?.reject(error);
  }

  #giveRoom(): void {
    if (this.#room === undefined || this.#pendingBytes > this.#deps.options.maxPendingBytes) return;
    this.#room.resolve();
    this.#room = undefined;
  }
}

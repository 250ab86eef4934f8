import type { EventLog, Producer } from '@runwire/event-log';
import type { RunId, UserId } from '@runwire/id-generation';
import type { Deferred } from '@runwire/kernel';
import { createDeferred } from '@runwire/kernel';
import type { EventDraft } from '@runwire/protocol';
import { BridgeError } from './errors.js';
import type { LogBudget } from './log-budget.js';
import type { ResolvedBridgeOptions } from './options.js';

/** What a run's appends are built from. */
export interface RunAppenderDeps {
  readonly log: Pick<EventLog, 'append'>;
  /** Shared by the user's runs. */
  readonly budget: LogBudget;
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

interface QueueItem {
  /** Undefined while its place is held. */
  draft: EventDraft | undefined;
  bytes: number;
  done: Deferred<void> | undefined;
}

/** An append under way. */
interface Flight {
  readonly items: readonly QueueItem[];
  readonly bytes: number;
  /** Made when somebody waits for all of it. */
  done: Deferred<void> | undefined;
}

/** Keeps an append far below what any log takes at once; bytes are the limit that counts. */
const MAX_DRAFTS = 1_024;
const DONE = Promise.resolve();

/**
 * Appends the events of one run strictly in order. The first event of an idle run goes at once; what comes
 * while an append is under way goes together in the next one.
 */
export class RunAppender {
  readonly #deps: RunAppenderDeps;
  readonly #run: RunIdentity;
  #queue: QueueItem[] = [];
  #inFlight: Flight | undefined;
  /** Queued and in flight. */
  #pendingBytes = 0;
  #appends = 0;
  /** While the budget is waited for: waits no longer. */
  #leaveQueue: (() => void) | undefined;
  #room: Deferred<void> | undefined;
  #refusal: BridgeError | undefined;

  constructor(run: RunIdentity, deps: RunAppenderDeps) {
    this.#run = run;
    this.#deps = deps;
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
        if (this.#queue.includes(item)) this.#pendingBytes += filledBytes - item.bytes;
        item.draft = draft;
        item.bytes = filledBytes;
        this.#pump();
        return done.promise;
      },
      cancel: () => {
        const at = this.#queue.indexOf(item);
        if (at === -1) return;
        this.#queue.splice(at, 1);
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
    this.#append([{ draft, bytes, done }], bytes);
    return done.promise;
  }

  /** Drops what is queued. An append under way settles as it will. */
  close(refusal: BridgeError): void {
    if (this.#refusal !== undefined) return;
    this.#refusal = refusal;
    this.#leaveQueue?.();
    this.#leaveQueue = undefined;
    const dropped = this.#queue;
    this.#queue = [];
    for (const item of dropped) {
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
    const item = this.#queue[index];
    if (item !== undefined) {
      item.done ??= quietDeferred();
      return item.done.promise;
    }
    if (this.#inFlight !== undefined) {
      this.#inFlight.done ??= quietDeferred();
      return this.#inFlight.done.promise;
    }
    return this.#hasFailed ? quietRejection(this.#refusal) : DONE;
  }

  #take(item: QueueItem): void {
    if (this.#refusal !== undefined) {
      item.done?.reject(this.#refusal);
      return;
    }
    this.#queue.push(item);
    this.#pendingBytes += item.bytes;
    const { maxUnawaitedBytes } = this.#deps.options;
    if (this.#pendingBytes > maxUnawaitedBytes) {
      this.overflow(`More than ${maxUnawaitedBytes} bytes were emitted without awaiting`, {
        maxUnawaitedBytes,
      });
      return;
    }
    this.#pump();
  }

  #pump(): void {
    if (this.#inFlight !== undefined || this.#refusal !== undefined) return;
    if (this.#queue[0]?.draft === undefined || this.#leaveQueue !== undefined) return;
    const { budget } = this.#deps;
    if (budget.isOpen) this.#appendNext();
    else this.#leaveQueue = budget.wait(() => this.#appendNext());
  }

  #appendNext(): void {
    this.#leaveQueue = undefined;
    const batch = this.#takeBatch();
    let bytes = 0;
    for (const item of batch) bytes += item.bytes;
    this.#append(batch, bytes);
  }

  /** What goes together: up to the limits, and to the first held place. */
  #takeBatch(): readonly QueueItem[] {
    const queue = this.#queue;
    let bytes = 0;
    let end = 0;
    for (const item of queue) {
      bytes += item.bytes;
      const isOver = bytes > this.#deps.options.maxAppendBytes || end >= MAX_DRAFTS;
      if (item.draft === undefined || (end > 0 && isOver)) break;
      end += 1;
    }
    if (end < queue.length) return queue.splice(0, end);
    this.#queue = [];
    return queue;
  }

  /** Callbacks instead of `await`: there is one append for each event when they come singly. */
  #append(items: readonly QueueItem[], bytes: number): void {
    const { log, budget } = this.#deps;
    const producer = this.nextProducer;
    const flight: Flight = { items, bytes, done: undefined };
    this.#appends += 1;
    this.#inFlight = flight;
    budget.take(bytes);
    const drafts: EventDraft[] = [];
    for (const { draft } of items) if (draft !== undefined) drafts.push(draft);
    log.append(this.#run.userId, drafts, { producer }).then(
      ({ duplicate }) => {
        if (!duplicate) this.#appended(flight);
        // The log kept what another emitter appended under this key, and dropped this.
        else this.#failed(repeated(producer), flight);
      },
      (cause: unknown) => this.#failed(cause, flight),
    );
  }

  #appended({ items, bytes, done }: Flight): void {
    this.#inFlight = undefined;
    this.#pendingBytes -= bytes;
    this.#pump();
    for (const item of items) item.done?.resolve();
    done?.resolve();
    this.#giveRoom();
  }

  #failed(cause: unknown, { items, done }: Flight): void {
    const { runId } = this.#run;
    const error = new BridgeError('EMIT_FAILED', `An event of run ${runId} could not be appended.`, {
      cause,
    });
    this.#inFlight = undefined;
    this.close(error);
    this.#pendingBytes = 0;
    // A run that was closed meanwhile has failed all the same.
    this.#refusal = error;
    for (const item of items) item.done?.reject(error);
    done?.reject(error);
  }

  #giveRoom(): void {
    if (this.#room === undefined || this.#pendingBytes > this.#deps.options.maxPendingBytes) return;
    this.#room.resolve();
    this.#room = undefined;
  }
}

function repeated({ attempt, n }: Producer): Error {
  return new Error(`Append ${n} of attempt ${attempt} was done before.`);
}

/** A caller that does not await must not take the process down; the next emit tells it again. */
function quietDeferred(): Deferred<void> {
  const deferred = createDeferred();
  deferred.promise.catch(() => undefined);
  return deferred;
}

/** A rejection that nobody needs to handle. */
export function quietRejection(reason: unknown): Promise<never> {
  const promise = Promise.reject(reason);
  promise.catch(() => undefined);
  return promise;
}

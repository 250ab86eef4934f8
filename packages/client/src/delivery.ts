import type { ControlMessageOf, Cursor, ResetReason, RunwireEvent, StreamInfo } from '@runwire/protocol/wire';
import { type Consumers, createConsumers } from './consumers.js';
import type { ClientProblem, RunwireClient } from './contract.js';
import { createDeliveryRule, type DeliveryRule } from './delivery-rule.js';
import type { ClientProblemCode } from './errors.js';
import { createHandlerPolicy, type HandlerPolicy } from './handler-policy.js';
import { createListeners, type Listeners } from './listeners.js';
import type { ResolvedOptions } from './options.js';
import { createSnapshotGate, type SnapshotGate } from './snapshot-gate.js';
import { createStorageSaver, type StorageSaver } from './storage-saver.js';

/** From what a connection receives to what the application sees: each event once, in order. */
export interface Delivery {
  /** The last event received in order: where to resume. */
  readonly received: Cursor | undefined;
  /** The last event that every handler had: what is acked, stored and shown. */
  readonly applied: Cursor | undefined;
  readonly counts: DeliveryCounts;
  readonly consumers: Consumers;
  /** A connection was established: takes the position, or resets. */
  established(message: ControlMessageOf<'connection_established'>): void;
  /** Takes an event. True if something before it is missing. */
  receive(event: RunwireEvent): boolean;
  /** The server says it sent everything up to `seq`. True if some of it is missing. */
  misses(seq: number): boolean;
  reset(reason: ResetReason, stream: Pick<StreamInfo, 'epoch' | 'head' | 'headId'>): void;
  readonly onReset: RunwireClient['onReset'];
  close(): void;
}

/** How often what happened. */
export interface DeliveryCounts {
  applied: number;
  duplicates: number;
  gaps: number;
  resets: number;
  skipped: number;
}

/** What delivery needs of its client. */
export interface DeliveryDeps {
  readonly report: (problem: ClientProblem & { readonly code: ClientProblemCode }) => void;
  /** A listener threw. */
  readonly failed: (cause: unknown) => void;
  /** Events were applied outside the handling of a frame. */
  readonly onLateApply: () => void;
  /** Events were dropped while delivery was paused: ask for them again. */
  readonly onOverflow: () => void;
  /** The snapshot could not be loaded: drop the connection. */
  readonly onSnapshotFailed: () => void;
  /** A handler threw, and no event may pass it: stop. */
  readonly onHandlerFailed: (cause: unknown) => void;
}

/** Creates the delivery of one client. */
export function createDelivery(deps: DeliveryDeps, options: ResolvedOptions): Delivery {
  return new OrderedDelivery(deps, options);
}

class OrderedDelivery implements Delivery {
  readonly counts: DeliveryCounts = { applied: 0, duplicates: 0, gaps: 0, resets: 0, skipped: 0 };
  readonly consumers: Consumers;
  applied: Cursor | undefined;
  readonly #deps: DeliveryDeps;
  readonly #options: ResolvedOptions;
  readonly #rule: DeliveryRule;
  readonly #gate: SnapshotGate;
  readonly #saver: StorageSaver;
  readonly #policy: HandlerPolicy;
  readonly #resets: Listeners<ResetReason>;
  /** Received, in order, not applied yet. */
  #held: RunwireEvent[] = [];
  /** A handler threw: the first of the held went through some handlers only. */
  #stuck = false;
  #overflowed = false;
  #flushing = false;
  #closed = false;

  constructor(deps: DeliveryDeps, options: ResolvedOptions) {
    const { failed, report } = deps;
    this.#deps = deps;
    this.#options = options;
    this.applied = options.cursor;
    this.#rule = createDeliveryRule(options.cursor, this.counts);
    this.#resets = createListeners(failed);
    this.consumers = createConsumers(
      { cursor: () => this.applied, onRoom: () => this.#resume(), failed },
      options,
    );
    this.#policy = createHandlerPolicy({
      ...options,
      retry: () => this.#goOn(),
      stop: deps.onHandlerFailed,
    });
    this.#saver = createStorageSaver({
      ...options,
      cursor: () => this.applied,
      failed: (cause) => report({ code: 'STORAGE_FAILED', message: 'The storage threw.', cause }),
    });
    this.#gate = createSnapshotGate({
      load: options.loadSnapshot,
      opened: () => {
        this.#saver.schedule();
        this.#resume();
      },
      failed: (cause) => {
        report({ code: 'SNAPSHOT_FAILED', message: 'The snapshot could not be loaded.', cause });
        deps.onSnapshotFailed();
      },
    });
  }

  get received(): Cursor | undefined {
    return this.#rule.cursor;
  }

  established({ stream, resume }: ControlMessageOf<'connection_established'>): void {
    const at = this.#rule.cursor;
    const { epoch, head, headId } = stream;
    if (resume.mode === 'reset' || (at !== undefined && at.epoch !== epoch)) {
      this.reset(resume.reason ?? 'epoch', stream);
      return;
    }
    const last = cursorAt(epoch, head, headId);
    if (at === undefined) this.#restart(resume.from > head ? last : { epoch, seq: resume.from - 1 });
    // The server vouches for `at` and for its head. Elsewhere a snapshot may be of a course that the log lost since.
    this.consumers.connected(({ seq, id }) => seq <= (at?.seq ?? -1) || (seq === head && id === last.id));
    this.#gate.retry();
    // After a stop, the handler that threw is tried again.
    if (this.#stuck) this.#goOn();
  }

  receive(event: RunwireEvent): boolean {
    if (this.#closed || this.#overflowed) return false;
    if (this.#held.length >= this.#options.maxHeldEvents) {
      this.#overflowed = true;
      return false;
    }
    const verdict = this.#rule.judge(event);
    if (typeof verdict === 'object') {
      this.#held.push(verdict);
      this.#flush();
    }
    return verdict === 'gap';
  }

  misses(seq: number): boolean {
    return !this.#closed && !this.#overflowed && this.#rule.misses(seq);
  }

  reset(reason: ResetReason, { epoch, head, headId }: Pick<StreamInfo, 'epoch' | 'head' | 'headId'>): void {
    this.counts.resets += 1;
    this.#saver.discard();
    this.#restart(cursorAt(epoch, head, headId));
    this.#gate.require(reason);
    this.consumers.reload();
    this.#resets.emit(reason);
    if (!this.#gate.closed && !this.#closed) this.#saver.schedule();
  }

  readonly onReset: RunwireClient['onReset'] = (listener) => this.#resets.add(listener);

  close(): void {
    if (this.#closed) return;
    // Within a handler, or before a snapshot is loaded, the state is not the cursor's: the pair saved last is.
    if (!this.#gate.closed && !this.#flushing) this.#saver.flush();
    this.#saver.discard();
    this.#closed = true;
    this.#gate.stop();
    this.#policy.settled();
    this.#held = [];
    this.consumers.close();
    this.#resets.clear();
  }

  #restart(cursor: Cursor): void {
    this.#rule.restart(cursor);
    this.applied = cursor;
    this.#held = [];
    this.#overflowed = false;
    this.#stuck = false;
    this.#policy.settled();
    this.consumers.abandon();
  }

  get #paused(): boolean {
    return this.#gate.closed || this.#stuck || this.consumers.full;
  }

  #goOn(): void {
    this.#stuck = false;
    this.#resume();
  }

  /** What paused delivery is over, perhaps. */
  #resume(): void {
    if (this.#closed || this.#paused) return;
    this.#flush();
    this.#deps.onLateApply();
    if (!this.#overflowed || this.#held.length > 0) return;
    this.#overflowed = false;
    this.#deps.onOverflow();
  }

  #flush(): void {
    // A handler may cause another flush, by reading from an iterator or closing the client.
    if (this.#flushing) return;
    this.#flushing = true;
    let held = this.#held;
    let next = 0;
    while (next < held.length && !this.#paused) {
      const event = held[next];
      if (event !== undefined && this.#apply(event)) next += 1;
      if (held !== this.#held) {
        // Reset or closed meanwhile: what was held is void.
        held = this.#held;
        next = 0;
      }
    }
    this.#held = next === 0 ? held : held.slice(next);
    this.#flushing = false;
  }

  /** Hands the event to everybody. False if a handler threw: the event stays the first of the held. */
  #apply(event: RunwireEvent): boolean {
    const held = this.#held;
    try {
      this.consumers.hand(event);
    } catch (cause) {
      if (held === this.#held) this.#failed(event, cause);
      return false;
    }
    if (held !== this.#held || this.applied === undefined) return false;
    this.#policy.settled();
    this.applied = { epoch: this.applied.epoch, seq: event.seq, id: event.id };
    this.counts.applied += 1;
    this.#saver.schedule();
    return true;
  }

  #failed(event: RunwireEvent, cause: unknown): void {
    // Some handlers had it: the state belongs to no cursor.
    this.#saver.discard();
    this.#stuck = true;
    this.#deps.report({ code: 'HANDLER_FAILED', message: 'A handler threw.', cause, event });
    if (!this.#policy.skips(event, cause)) return;
    this.#stuck = false;
    this.counts.skipped += 1;
    this.consumers.skip();
  }
}

function cursorAt(epoch: string, seq: number, id: string | null): Cursor {
  return id === null || seq === 0 ? { epoch, seq } : { epoch, seq, id };
}

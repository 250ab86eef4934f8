import type { ControlMessageOf, Cursor, ResetReason, RunwireEvent, StreamInfo } from '@runwire/protocol';
import type { ClientProblem, RunwireClient, ThreadView, Unsubscribe } from './contract.js';
import { createDeliveryRule, type DeliveryRule } from './delivery-rule.js';
import type { ClientProblemCode } from './errors.js';
import { createEventStream, type EventStream } from './event-stream.js';
import { createListeners, type Listeners } from './listeners.js';
import type { ResolvedOptions } from './options.js';
import { createSnapshotGate, type SnapshotGate } from './snapshot-gate.js';
import { createStorageSaver, type StorageSaver } from './storage-saver.js';
import { type OpenThread, openThreadView } from './thread-view.js';

/** From what a connection receives to what the application sees: each event once, in order. */
export interface Delivery {
  /** The last event received in order: where to resume. */
  readonly received: Cursor | undefined;
  /** The last event handed to the application: what is acked, stored and shown. */
  readonly applied: Cursor | undefined;
  readonly counts: DeliveryCounts;
  /** A connection was established: takes the position, or resets. */
  established(message: ControlMessageOf<'connection_established'>): void;
  /** Takes an event. True if something before it is missing. */
  receive(event: RunwireEvent): boolean;
  /** The server says it sent everything up to `seq`. True if some of it is missing. */
  misses(seq: number): boolean;
  reset(reason: ResetReason, stream: Pick<StreamInfo, 'epoch' | 'head' | 'headId'>): void;
  readonly on: RunwireClient['on'];
  readonly onEvent: RunwireClient['onEvent'];
  readonly onReset: RunwireClient['onReset'];
  readonly events: RunwireClient['events'];
  readonly openThread: RunwireClient['openThread'];
  close(): void;
}

/** How often what happened. */
export interface DeliveryCounts {
  applied: number;
  duplicates: number;
  gaps: number;
  resets: number;
}

/** What delivery needs of its client. */
export interface DeliveryDeps {
  readonly report: (problem: ClientProblem & { readonly code: ClientProblemCode }) => void;
  /** Events were applied outside the handling of a frame. */
  readonly onLateApply: () => void;
  /** Events were dropped while delivery was paused: ask for them again. */
  readonly onOverflow: () => void;
  /** The snapshot could not be loaded: drop the connection. */
  readonly onSnapshotFailed: () => void;
}

/** Creates the delivery of one client. */
export function createDelivery(deps: DeliveryDeps, options: ResolvedOptions): Delivery {
  return new OrderedDelivery(deps, options);
}

class OrderedDelivery implements Delivery {
  readonly counts: DeliveryCounts = { applied: 0, duplicates: 0, gaps: 0, resets: 0 };
  readonly #deps: DeliveryDeps;
  readonly #options: ResolvedOptions;
  readonly #rule: DeliveryRule;
  readonly #gate: SnapshotGate;
  readonly #saver: StorageSaver;
  readonly #listenerFailed: (cause: unknown) => void;
  readonly #byType = new Map<string, Listeners<RunwireEvent>>();
  readonly #all: Listeners<RunwireEvent>;
  readonly #resets: Listeners<ResetReason>;
  readonly #streams = new Set<EventStream>();
  readonly #threads = new Set<OpenThread>();
  /** Received, in order, not applied yet. */
  #held: RunwireEvent[] = [];
  #overflowed = false;
  #flushing = false;
  #applied: Cursor | undefined;
  #closed = false;

  constructor(deps: DeliveryDeps, options: ResolvedOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#applied = options.cursor;
    this.#rule = createDeliveryRule(options.cursor);
    this.#listenerFailed = (cause) =>
      deps.report({ code: 'LISTENER_FAILED', message: 'A listener threw.', cause });
    this.#all = createListeners(this.#listenerFailed);
    this.#resets = createListeners(this.#listenerFailed);
    this.#saver = createStorageSaver({
      ...options,
      cursor: () => this.#applied,
      failed: (cause) => deps.report({ code: 'STORAGE_FAILED', message: 'The storage threw.', cause }),
    });
    this.#gate = createSnapshotGate({
      load: options.loadSnapshot,
      opened: () => {
        this.#saver.schedule();
        this.#resume();
      },
      failed: (cause) => {
        deps.report({ code: 'SNAPSHOT_FAILED', message: 'The snapshot could not be loaded.', cause });
        deps.onSnapshotFailed();
      },
    });
  }

  get received(): Cursor | undefined {
    return this.#rule.cursor;
  }

  get applied(): Cursor | undefined {
    return this.#applied;
  }

  established({ stream, resume }: ControlMessageOf<'connection_established'>): void {
    const at = this.#rule.cursor;
    if (resume.mode === 'reset') {
      this.reset(resume.reason ?? 'epoch', stream);
    } else if (at === undefined) {
      const headId = resume.from === stream.head + 1 ? stream.headId : null;
      this.#restart(cursorAt(stream.epoch, resume.from - 1, headId));
      if (this.#applied !== undefined) for (const thread of this.#threads) thread.positioned(this.#applied);
    } else if (at.epoch !== stream.epoch) {
      this.reset('epoch', stream);
    } else {
      this.#gate.retry();
    }
  }

  receive(event: RunwireEvent): boolean {
    if (this.#closed || this.#overflowed) return false;
    if (this.#held.length >= this.#options.maxHeldEvents) {
      this.#overflowed = true;
      return false;
    }
    const verdict = this.#rule.judge(event);
    if (verdict.kind === 'duplicate') this.counts.duplicates += 1;
    if (verdict.kind === 'gap') {
      if (verdict.first) this.counts.gaps += 1;
      return true;
    }
    if (verdict.kind === 'apply') {
      this.#held.push(verdict.event);
      this.#flush();
    }
    return false;
  }

  misses(seq: number): boolean {
    if (this.#closed || this.#overflowed) return false;
    const { missing, first } = this.#rule.misses(seq);
    if (first) this.counts.gaps += 1;
    return missing;
  }

  reset(reason: ResetReason, { epoch, head, headId }: Pick<StreamInfo, 'epoch' | 'head' | 'headId'>): void {
    this.counts.resets += 1;
    this.#saver.discard();
    this.#restart(cursorAt(epoch, head, headId));
    this.#gate.require(reason);
    for (const thread of this.#threads) thread.reload();
    this.#resets.emit(reason);
    if (!this.#gate.closed && !this.#closed) this.#saver.schedule();
  }

  readonly on: RunwireClient['on'] = (type, listener) => {
    const listeners = this.#byType.get(type) ?? createListeners<RunwireEvent>(this.#listenerFailed);
    this.#byType.set(type, listeners);
    // Only events of `type` are emitted to this list.
    return listeners.add(listener as (event: RunwireEvent) => void);
  };

  readonly onEvent: RunwireClient['onEvent'] = (listener) => this.#all.add(listener);

  readonly onReset: RunwireClient['onReset'] = (listener) => this.#resets.add(listener);

  readonly events: RunwireClient['events'] = () => {
    const stream = createEventStream({
      maxBuffered: this.#options.maxBufferedEvents,
      onRoom: () => this.#resume(),
      onReturn: () => this.#streams.delete(stream),
    });
    if (this.#closed) stream.end();
    else this.#streams.add(stream);
    return stream.iterator;
  };

  readonly openThread = <S extends { readonly cursor: Cursor }>(view: ThreadView<S>): Unsubscribe => {
    const thread = openThreadView(
      {
        ...this.#options,
        cursor: () => this.#applied,
        failed: this.#listenerFailed,
      },
      view,
    );
    if (this.#closed) thread.close();
    else this.#threads.add(thread);
    return () => {
      this.#threads.delete(thread);
      thread.close();
    };
  };

  close(): void {
    if (this.#closed) return;
    // Within a listener, or before a snapshot is loaded, the state is not the cursor's: the pair saved last is.
    if (!this.#gate.closed && !this.#flushing) this.#saver.flush();
    this.#saver.discard();
    this.#closed = true;
    this.#gate.stop();
    this.#held = [];
    for (const thread of this.#threads) thread.close();
    for (const stream of this.#streams) stream.end();
    this.#threads.clear();
    this.#streams.clear();
    for (const listeners of [...this.#byType.values(), this.#all, this.#resets]) listeners.clear();
  }

  #restart(cursor: Cursor): void {
    this.#rule.restart(cursor);
    this.#applied = cursor;
    this.#held = [];
    this.#overflowed = false;
  }

  get #paused(): boolean {
    if (this.#gate.closed) return true;
    for (const stream of this.#streams) if (stream.full) return true;
    return false;
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
    // A listener may cause another flush, by reading from an iterator or closing the client.
    if (this.#flushing) return;
    this.#flushing = true;
    let held = this.#held;
    let next = 0;
    while (next < held.length && !this.#paused) {
      const event = held[next];
      next += 1;
      if (event !== undefined) this.#apply(event);
      if (held !== this.#held) {
        // Reset or closed meanwhile: what was held is void.
        held = this.#held;
        next = 0;
      }
    }
    this.#held = next === 0 ? held : held.slice(next);
    this.#flushing = false;
  }

  #apply(event: RunwireEvent): void {
    if (this.#applied === undefined) return;
    this.#applied = { epoch: this.#applied.epoch, seq: event.seq, id: event.id };
    this.counts.applied += 1;
    this.#byType.get(event.type)?.emit(event);
    this.#all.emit(event);
    for (const thread of this.#threads) thread.offer(event);
    for (const stream of this.#streams) stream.push(event);
    if (!this.#closed) this.#saver.schedule();
  }
}

function cursorAt(epoch: string, seq: number, id: string | null): Cursor {
  return id === null || seq === 0 ? { epoch, seq } : { epoch, seq, id };
}

import type { Cursor, RunwireEvent } from '@runwire/protocol/wire';
import type { RunwireClient, ThreadView } from './contract.js';
import { createEventStream, type EventStream } from './event-stream.js';
import { createListeners, type ListenerEntry, type Listeners } from './listeners.js';
import type { ResolvedOptions } from './options.js';
import type { Unsubscribe } from './ports.js';
import { type CoverRule, type OpenThread, openThreadView } from './thread-view.js';

/** Everything in the application that takes events: handlers, open threads, iterators. */
export interface Consumers extends Pick<RunwireClient, 'on' | 'onEvent' | 'events' | 'openThread'> {
  /** True while a reader is so far behind that delivery pauses. */
  readonly full: boolean;
  /**
   * Hands an event to each. Throws what a handler throws; called again with the same event, it goes on with that
   * handler, so that the others get the event once.
   */
  hand(event: RunwireEvent): void;
  /** The handler that threw goes without the event. */
  skip(): void;
  /** The event under way is void. */
  abandon(): void;
  /** A connection was established: see `OpenThread`. */
  connected(covers: CoverRule): void;
  /** The stream was reset: open threads load again. */
  reload(): void;
  close(): void;
}

/** What consumers need of their client. */
export interface ConsumersDeps {
  /** The position up to which events were handed on. */
  readonly cursor: () => Cursor | undefined;
  /** A reader has room again. */
  readonly onRoom: () => void;
  /** A callback of an open thread threw. */
  readonly failed: (cause: unknown) => void;
}

/** Creates the consumers of one client, none yet. */
export function createConsumers(deps: ConsumersDeps, options: ResolvedOptions): Consumers {
  return new EventConsumers(deps, options);
}

class EventConsumers implements Consumers {
  readonly #deps: ConsumersDeps;
  readonly #options: ResolvedOptions;
  readonly #byType = new Map<string, Listeners<RunwireEvent>>();
  readonly #all = createListeners<RunwireEvent>();
  readonly #streams = new Set<EventStream>();
  readonly #threads = new Set<OpenThread>();
  /** The handlers that the event under way has not gone through yet. */
  #left: ListenerEntry<RunwireEvent>[] | undefined;
  #closed = false;

  constructor(deps: ConsumersDeps, options: ResolvedOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get full(): boolean {
    for (const stream of this.#streams) if (stream.full) return true;
    return false;
  }

  hand(event: RunwireEvent): void {
    this.#left ??= [...(this.#byType.get(event.type)?.entries ?? []), ...this.#all.entries];
    const left = this.#left;
    for (let next = left[0]; next !== undefined; next = left[0]) {
      if (next.active) next.call(event);
      // A handler may close the client.
      if (this.#left !== left) return;
      left.shift();
    }
    this.#left = undefined;
    for (const thread of this.#threads) thread.offer(event);
    for (const stream of this.#streams) stream.push(event);
  }

  skip(): void {
    this.#left?.shift();
  }

  abandon(): void {
    this.#left = undefined;
  }

  connected(covers: CoverRule): void {
    for (const thread of this.#threads) thread.connected(covers);
  }

  reload(): void {
    for (const thread of this.#threads) thread.reload();
  }

  readonly on: RunwireClient['on'] = (type, handler) => {
    const handlers = this.#byType.get(type) ?? createListeners<RunwireEvent>();
    this.#byType.set(type, handlers);
    // Only events of `type` are handed to this list.
    return handlers.add(handler as (event: RunwireEvent) => void);
  };

  readonly onEvent: RunwireClient['onEvent'] = (handler) => this.#all.add(handler);

  readonly events: RunwireClient['events'] = () => {
    const stream = createEventStream({
      maxBuffered: this.#options.maxBufferedEvents,
      onRoom: this.#deps.onRoom,
      onReturn: () => this.#streams.delete(stream),
    });
    if (this.#closed) stream.end();
    else this.#streams.add(stream);
    return stream.iterator;
  };

  readonly openThread = <S extends { readonly cursor: Cursor }>(view: ThreadView<S>): Unsubscribe => {
    const thread = openThreadView({ ...this.#options, ...this.#deps }, view);
    if (this.#closed) thread.close();
    else this.#threads.add(thread);
    return () => {
      this.#threads.delete(thread);
      thread.close();
    };
  };

  close(): void {
    this.#closed = true;
    this.abandon();
    for (const thread of this.#threads) thread.close();
    for (const stream of this.#streams) stream.end();
    this.#threads.clear();
    this.#streams.clear();
    for (const handlers of [...this.#byType.values(), this.#all]) handlers.clear();
  }
}

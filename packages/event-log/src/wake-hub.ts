import type { UserId } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import type { EncodedBatch, EncodedEvent, Unsubscribe } from './contract.js';

/** What the hub asks of the log it wakes for. */
export interface WakeSource {
  readonly epoch: string;
  /** The last settled `seq` of the user. */
  head(userId: UserId): number;
  /** The events from `seq` to the head, as a read would serve them now; undefined unless all can be read. */
  eventsFrom(userId: UserId, seq: number): readonly EncodedEvent[] | undefined;
}

/** Who is to be woken, and the order and content of wakes: one hub per log. */
export interface WakeHub {
  /** As `EventLog.subscribe`. */
  subscribe(userId: UserId, onWake: (batch?: EncodedBatch) => void): Unsubscribe;
  /** Says that the events from `seq` to the head have settled. The wakes come in a later microtask. */
  announce(userId: UserId, seq: number): void;
  /** Settles when everything announced so far, and from within those wakes, was woken. */
  drained(): Promise<void>;
  /** Forgets all subscribers. */
  close(): void;
}

/** Creates a hub without subscribers. */
export function createWakeHub(deps: { readonly source: WakeSource; readonly logger: Logger }): WakeHub {
  return new Hub(deps.source, deps.logger);
}

interface Subscriber {
  readonly onWake: (batch?: EncodedBatch) => void;
  /** Everything up to here was announced to it, or stood in the log when it came. */
  position: number;
  /** Its last wake threw, so nobody knows what it took: it must read. */
  failed: boolean;
}

class Hub implements WakeHub {
  readonly #source: WakeSource;
  readonly #logger: Logger;
  readonly #subscribers = new Map<UserId, Set<Subscriber>>();
  /** The first `seq` of each user that nobody was woken for yet. */
  #announced = new Map<UserId, number>();
  #draining: Promise<void> | undefined;

  constructor(source: WakeSource, logger: Logger) {
    this.#source = source;
    this.#logger = logger;
  }

  subscribe(userId: UserId, onWake: (batch?: EncodedBatch) => void): Unsubscribe {
    const subscriber: Subscriber = { onWake, position: this.#source.head(userId), failed: false };
    const group = this.#subscribers.get(userId) ?? new Set();
    this.#subscribers.set(userId, group.add(subscriber));
    return () => {
      group.delete(subscriber);
      if (group.size === 0 && this.#subscribers.get(userId) === group) this.#subscribers.delete(userId);
    };
  }

  announce(userId: UserId, seq: number): void {
    if (!this.#subscribers.has(userId)) return;
    if (!this.#announced.has(userId)) this.#announced.set(userId, seq);
    // Two hops: whoever awaits the append itself goes on before the wake.
    this.#draining ??= Promise.resolve()
      .then(() => undefined)
      .then(() => this.#drain());
  }

  async drained(): Promise<void> {
    while (this.#draining !== undefined) await this.#draining;
  }

  close(): void {
    this.#subscribers.clear();
    this.#announced.clear();
  }

  #drain(): void {
    const announced = this.#announced;
    this.#announced = new Map();
    // From here on an append made inside a wake asks for its own drain.
    this.#draining = undefined;
    for (const [userId, seq] of announced) this.#wakeAll(userId, seq);
  }

  #wakeAll(userId: UserId, seq: number): void {
    const group = this.#subscribers.get(userId);
    if (group === undefined) return;
    const head = this.#source.head(userId);
    const events = this.#source.eventsFrom(userId, seq);
    const batch = events && { epoch: this.#source.epoch, events };
    for (const subscriber of group) {
      if (subscriber.position >= head) continue;
      this.#wake(subscriber, batch && rest(batch, subscriber.position));
      subscriber.position = head;
    }
  }

  #wake(subscriber: Subscriber, batch: EncodedBatch | undefined): void {
    const carried = subscriber.failed ? undefined : batch;
    try {
      subscriber.failed = false;
      if (carried === undefined) subscriber.onWake();
      else subscriber.onWake(carried);
    } catch (error) {
      subscriber.failed = true;
      this.#logger.error({ err: error }, 'A subscriber of the event log threw; it reads at its next wake.');
    }
  }
}

/** What of a batch comes after `position`; nothing when the batch begins later. */
function rest(batch: EncodedBatch, position: number): EncodedBatch | undefined {
  const known = position + 1 - (batch.events[0]?.seq ?? Infinity);
  if (known === 0) return batch;
  return known > 0 ? { epoch: batch.epoch, events: batch.events.slice(known) } : undefined;
}

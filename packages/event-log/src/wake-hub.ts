import type { UserId } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import { joinBatches, restOf } from './batches.js';
import type { EncodedBatch, Unsubscribe } from './contract.js';

/** What the hub asks of the log it wakes for. */
export interface WakeSource {
  readonly epoch: string;
  /** The lowest readable and the last settled `seq` of the user. */
  positionOf(userId: UserId): { readonly first: number; readonly head: number };
}

/** Who is to be woken, and the order and content of wakes: one hub per log. */
export interface WakeHub {
  /** As `EventLog.subscribe`. */
  subscribe(userId: UserId, onWake: (batch?: EncodedBatch) => void): Unsubscribe;
  /** Says that an append has settled, each in its turn. The wakes come in a later microtask. */
  announce(userId: UserId, append: EncodedBatch): void;
  /** What was announced of the user and not woken for is no longer what a read serves: the wake carries nothing. */
  changed(userId: UserId): void;
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
  /** It has unsubscribed, perhaps from within a wake. */
  over: boolean;
}

/** The subscribers of one user, and what was announced since they were woken last. */
interface Group {
  /** Replaced on change: most users have one, for which a set would take four times the memory. */
  subscribers: readonly Subscriber[];
  /** One that is alone as it is; undefined when nothing was announced. */
  announced: EncodedBatch | EncodedBatch[] | undefined;
}

/** What is to be read. */
const UNREADABLE: EncodedBatch[] = [];

class Hub implements WakeHub {
  readonly #source: WakeSource;
  readonly #logger: Logger;
  readonly #groups = new Map<UserId, Group>();
  /** Those of whom something was announced. */
  #announced: UserId[] = [];
  #draining: Promise<void> | undefined;

  constructor(source: WakeSource, logger: Logger) {
    this.#source = source;
    this.#logger = logger;
  }

  subscribe(userId: UserId, onWake: (batch?: EncodedBatch) => void): Unsubscribe {
    const position = this.#source.positionOf(userId).head;
    const subscriber: Subscriber = { onWake, position, failed: false, over: false };
    const group = this.#groups.get(userId);
    // `concat` makes lists of exactly their length; a spread leaves room for sixteen more.
    if (group !== undefined) group.subscribers = group.subscribers.concat(subscriber);
    else this.#groups.set(userId, { subscribers: [subscriber], announced: undefined });
    return this.#unsubscribe.bind(this, userId, subscriber);
  }

  announce(userId: UserId, append: EncodedBatch): void {
    const group = this.#groups.get(userId);
    if (group === undefined) return;
    const { announced } = group;
    if (announced === undefined) {
      group.announced = append;
      this.#announced.push(userId);
    } else if (!Array.isArray(announced)) {
      group.announced = [announced, append];
    } else if (announced !== UNREADABLE) {
      announced.push(append);
    }
    // Two hops: whoever awaits the append itself goes on before the wake.
    this.#draining ??= Promise.resolve()
      .then(() => undefined)
      .then(() => this.#drain());
  }

  changed(userId: UserId): void {
    const group = this.#groups.get(userId);
    if (group?.announced !== undefined) group.announced = UNREADABLE;
  }

  async drained(): Promise<void> {
    while (this.#draining !== undefined) await this.#draining;
  }

  close(): void {
    this.#groups.clear();
    this.#announced = [];
  }

  #unsubscribe(userId: UserId, subscriber: Subscriber): void {
    if (subscriber.over) return;
    subscriber.over = true;
    const group = this.#groups.get(userId);
    if (group === undefined) return;
    group.subscribers = group.subscribers.filter((other) => other !== subscriber);
    if (group.subscribers.length === 0) this.#groups.delete(userId);
  }

  #drain(): void {
    const announced = this.#announced;
    this.#announced = [];
    // From here on an append made inside a wake asks for its own drain.
    this.#draining = undefined;
    for (const userId of announced) this.#wakeAll(userId);
  }

  #wakeAll(userId: UserId): void {
    const group = this.#groups.get(userId);
    if (group?.announced === undefined) return;
    const { subscribers, announced } = group;
    group.announced = undefined;
    const { first, head } = this.#source.positionOf(userId);
    const known = Array.isArray(announced) ? joinBatches(announced) : announced;
    const batch = known === undefined || known.firstSeq < first ? undefined : known;
    for (const subscriber of subscribers) {
      if (subscriber.position >= head || subscriber.over) continue;
      this.#wake(subscriber, batch && restOf(batch, subscriber.position));
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

import { createDeferred, type Deferred } from '@runwire/kernel';
import type { ClientMessageOf } from '@runwire/protocol';

/** A `caught_up` that is owed: sent when everything up to `target` is. */
interface OwedCaughtUp {
  readonly target: number;
  /** The resync that it answers, if any. */
  readonly resync: ClientMessageOf<'resync'> | undefined;
}

const NONE: readonly never[] = Object.freeze([]);
const NOTHING = Promise.resolve();

/** What `caught_up`s a connection is owed: one after `connection_established`, and one for each resync. */
export class OwedCaughtUps {
  #owed: readonly OwedCaughtUp[] = NONE;
  /** Made when somebody asks before the first was sent. */
  #first: Deferred<void> | undefined;
  #isFirstSent = false;

  /** Settles when the first was sent, or none will be. */
  get firstSent(): Promise<void> {
    if (this.#isFirstSent) return NOTHING;
    this.#first ??= createDeferred();
    return this.#first.promise;
  }

  owe(target: number, resync: ClientMessageOf<'resync'> | undefined): void {
    const owed = { target, resync };
    // `concat` makes lists of exactly their length; `push` leaves room for sixteen more.
    this.#owed = this.#owed.length === 0 ? [owed] : this.#owed.concat(owed);
  }

  /** The stream is another one, and the client at its head: that is what all are owed at. */
  moveTo(head: number): void {
    if (this.#owed.length > 0) this.#owed = this.#owed.map(({ resync }) => ({ target: head, resync }));
  }

  /** Everything up to `seq` was sent: takes those that are due, to be sent before anything else. */
  takeDue(seq: number): readonly OwedCaughtUp[] {
    const due = this.#owed.filter(({ target }) => target <= seq);
    if (due.length === 0) return NONE;
    this.#owed = due.length === this.#owed.length ? NONE : this.#owed.filter(({ target }) => target > seq);
    this.#settleFirst();
    return due;
  }

  /** Nothing is owed any more. */
  clear(): void {
    this.#owed = NONE;
    this.#settleFirst();
  }

  #settleFirst(): void {
    this.#isFirstSent = true;
    this.#first?.resolve();
    this.#first = undefined;
  }
}

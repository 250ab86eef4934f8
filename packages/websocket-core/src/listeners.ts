import type { Logger } from '@runwire/kernel';
import type { Dispose } from './contract.js';

interface Entry<Args extends readonly unknown[]> {
  readonly call: (...args: Args) => void;
}

/** Listeners that can be undone one by one, and are called with each failure kept to itself. */
export class Listeners<Args extends readonly unknown[]> {
  readonly #owner: { readonly logger: Logger };
  /** Replaced on change. A connection has two or three: a set would take five times the memory. */
  #entries: readonly Entry<Args>[] = NONE;

  /** The owner's logger is asked for when a listener has thrown. */
  constructor(owner: { readonly logger: Logger }) {
    this.#owner = owner;
  }

  add(call: (...args: Args) => void): Dispose {
    // Wrapped, so that one function may be added twice and each time be undone on its own.
    const entry: Entry<Args> = { call };
    // `concat` makes lists of exactly their length; a spread leaves room for sixteen more.
    this.#entries = this.#entries.length === 0 ? [entry] : this.#entries.concat(entry);
    // Bound, which takes two thirds of the memory of a closure with its context.
    return this.#remove.bind(this, entry);
  }

  /** Calls each in the order of their adding. */
  callAll(...args: Args): void {
    for (const entry of this.#entries) {
      // An earlier one may have undone this one.
      if (this.#entries.includes(entry)) this.#guard(entry, args);
    }
  }

  /** Calls each once, last added first, and removes all. */
  release(...args: Args): void {
    const entries = this.#entries;
    this.#entries = NONE;
    for (const entry of entries.toReversed()) this.#guard(entry, args);
  }

  clear(): void {
    this.#entries = NONE;
  }

  #remove(entry: Entry<Args>): void {
    if (this.#entries.includes(entry)) this.#entries = this.#entries.filter((other) => other !== entry);
  }

  #guard(entry: Entry<Args>, args: Args): void {
    try {
      entry.call(...args);
    } catch (cause) {
      this.#owner.logger.error({ err: cause }, 'A listener of a connection threw');
    }
  }
}

const NONE: readonly never[] = Object.freeze([]);

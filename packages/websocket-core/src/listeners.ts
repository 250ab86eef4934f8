import type { Logger } from '@runwire/kernel';
import type { Dispose } from './contract.js';

/** Listeners that can be undone one by one, and are called with each failure kept to itself. */
export class Listeners<Args extends readonly unknown[]> {
  readonly #logger: Logger;
  readonly #listeners = new Set<{ readonly call: (...args: Args) => void }>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get size(): number {
    return this.#listeners.size;
  }

  add(call: (...args: Args) => void): Dispose {
    // Wrapped, so that one function may be added twice and each time be undone on its own.
    const entry = { call };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** Calls each in the order of their adding. */
  callAll(...args: Args): void {
    for (const entry of this.#listeners) this.#guard(entry, args);
  }

  /** Calls each once, last added first, and removes all. */
  release(...args: Args): void {
    const entries = [...this.#listeners].reverse();
    this.#listeners.clear();
    for (const entry of entries) this.#guard(entry, args);
  }

  clear(): void {
    this.#listeners.clear();
  }

  #guard(entry: { readonly call: (...args: Args) => void }, args: Args): void {
    try {
      entry.call(...args);
    } catch (cause) {
      this.#logger.error({ err: cause }, 'A listener of a connection threw');
    }
  }
}

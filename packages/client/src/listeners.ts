import type { Unsubscribe } from './contract.js';

/** Listeners of one thing, called in the order they came. */
export interface Listeners<T> {
  add(listener: (value: T) => void): Unsubscribe;
  /** Calls each; one that throws is reported and does not stop the others. */
  emit(value: T): void;
  clear(): void;
}

/** Creates an empty list. */
export function createListeners<T>(failed: (cause: unknown) => void): Listeners<T> {
  // Replaced, never changed: a list being walked stays what it was.
  let entries: readonly { readonly call: (value: T) => void; active: boolean }[] = [];

  return {
    add(listener) {
      const entry = { call: listener, active: true };
      entries = [...entries, entry];
      return () => {
        entry.active = false;
        entries = entries.filter((other) => other !== entry);
      };
    },
    emit(value) {
      for (const entry of entries) {
        if (!entry.active) continue;
        try {
          entry.call(value);
        } catch (cause) {
          failed(cause);
        }
      }
    },
    clear() {
      for (const entry of entries) entry.active = false;
      entries = [];
    },
  };
}

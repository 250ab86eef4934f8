import type { Unsubscribe } from './ports.js';

/** One listener; `active` until it is taken away. */
export interface ListenerEntry<T> {
  readonly call: (value: T) => void;
  readonly active: boolean;
}

/** Listeners of one thing, in the order they came. */
export interface Listeners<T> {
  /** Those there are now. The list does not change; an entry taken away is not active any more. */
  readonly entries: readonly ListenerEntry<T>[];
  add(listener: (value: T) => void): Unsubscribe;
  /** Calls each; one that throws is reported and does not stop the others. */
  emit(value: T): void;
  clear(): void;
}

/** Creates an empty list. */
export function createListeners<T>(failed?: (cause: unknown) => void): Listeners<T> {
  let entries: readonly { readonly call: (value: T) => void; active: boolean }[] = [];

  return {
    get entries() {
      return entries;
    },
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
          failed?.(cause);
        }
      }
    },
    clear() {
      for (const entry of entries) entry.active = false;
      entries = [];
    },
  };
}

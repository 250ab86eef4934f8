import { useSyncExternalStore } from 'react';

/** A value that components read and follow. */
export interface ReadableStore<T> {
  readonly get: () => T;
  /** Calls `listener` after each change; returns the undo. */
  readonly subscribe: (listener: () => void) => () => void;
}

/** A value with one owner that changes it. */
export interface ValueStore<T> extends ReadableStore<T> {
  /** Does nothing when `next` is what there is. */
  set(next: T): void;
}

/** Creates a store that tells its listeners at once. */
export function createValueStore<T>(initial: T): ValueStore<T> {
  const listeners = new Set<() => void>();
  let value = initial;
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Reads a store in a component, which renders again when it changes. */
export function useStore<T>(store: ReadableStore<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}

import { createValueStore, type ReadableStore } from './value-store.js';

/** A value that may change many times between two frames; listeners see at most one change a frame. */
export interface FrameStore<T> extends ReadableStore<T> {
  /** The value now, which listeners may not have been told yet. */
  latest(): T;
  set(next: T): void;
  /** Stops telling. */
  close(): void;
}

// A page in the background gets no frames, and its title and its announcements still have to follow.
const FALLBACK_MS = 250;

/** Creates the store. */
export function createFrameStore<T>(initial: T): FrameStore<T> {
  const published = createValueStore(initial);
  let latest = initial;
  let cancel: (() => void) | undefined;

  const publish = (): void => {
    cancel?.();
    cancel = undefined;
    published.set(latest);
  };
  const schedule = (): void => {
    const frame = requestAnimationFrame(publish);
    const timer = setTimeout(publish, FALLBACK_MS);
    cancel = () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  };

  return {
    get: published.get,
    subscribe: published.subscribe,
    latest: () => latest,
    set(next) {
      if (Object.is(next, latest)) return;
      latest = next;
      if (cancel === undefined) schedule();
    },
    close: () => cancel?.(),
  };
}

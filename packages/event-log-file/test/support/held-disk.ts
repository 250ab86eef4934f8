import type { MemoryDisk } from '../../src/testing/index.js';

/** What waits for the hardware, in a test's hands. */
export interface HeldDisk {
  /** Operations that wait. */
  readonly waiting: number;
  /** Lets those go that wait now, and holds what comes after. */
  step(): void;
  /** Lets everything go, from now on. */
  release(): void;
}

/** Holds back every sync, and every write of the thread pool, until it is let go. */
export function hold(disk: MemoryDisk): HeldDisk {
  let held: (() => void)[] = [];
  const step = (): void => {
    const released = held;
    held = [];
    for (const resolve of released) resolve();
  };
  disk.delay = () => new Promise((resolve) => void held.push(resolve));
  return {
    get waiting() {
      return held.length;
    },
    step,
    release() {
      disk.delay = undefined;
      step();
    },
  };
}

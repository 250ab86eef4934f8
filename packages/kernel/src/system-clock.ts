import type { Clock } from './contract.js';

/** Node's extras, absent in browsers: the kernel is typechecked for both. */
interface HostTimers {
  setImmediate?(run: () => void): unknown;
}

const LONGEST_TIMER_MS = 2_147_483_647;

/** The clock of the machine: `Date.now`, `performance.now`, `setTimeout`, and a turn hook of the host. */
export function createSystemClock(): Clock {
  const host = globalThis as HostTimers;
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    setTimer(delayMs, run) {
      // A longer delay would overflow the host's timer and fire at once.
      const timer: unknown = setTimeout(run, Math.min(Math.max(0, delayMs), LONGEST_TIMER_MS));
      unref(timer);
      return { cancel: () => clearTimeout(timer as number) };
    },
    nextTurn(run) {
      if (host.setImmediate === undefined) setTimeout(run, 0);
      else host.setImmediate(run);
    },
  };
}

function unref(timer: unknown): void {
  if (typeof timer !== 'object' || timer === null || !('unref' in timer)) return;
  if (typeof timer.unref === 'function') timer.unref();
}

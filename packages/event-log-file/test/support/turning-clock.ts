import { createManualClock, type ManualClock } from '@runwire/kernel/testing';

/** A clock in a test's hands whose turns come from the host, because real I/O does. */
export interface TurningClock extends ManualClock {
  /** Lets time pass in the middle of something, when no timer can fire. */
  pass(ms: number): void;
}

/** Creates one. */
export function createTurningClock(): TurningClock {
  const clock = createManualClock();
  let passedMs = 0;
  return {
    ...clock,
    nowMs: () => clock.nowMs() + passedMs,
    monotonicMs: () => clock.monotonicMs() + passedMs,
    pass(ms) {
      passedMs += ms;
    },
    get pendingTimers() {
      return clock.pendingTimers;
    },
    nextTurn: (run) => void setImmediate(run),
    settle: async () => {
      await turns();
      await clock.settle();
    },
    advance: async (ms) => {
      await clock.advance(ms);
      await turns();
    },
  };
}

/** So many turns that what a log owes for the last call has been done. */
const TURNS = 8;

async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
}

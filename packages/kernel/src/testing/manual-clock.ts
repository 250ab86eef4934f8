import type { Clock } from '../contract.js';

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /**
   * Moves time forward by `ms`, running due timers in order of their instant, and between them every turn
   * and microtask that they cause.
   */
  advance(ms: number): Promise<void>;
  /** Runs the pending turns and microtasks without moving time. */
  settle(): Promise<void>;
  /** Moves only the wall clock, as an administrator or NTP would. */
  jumpWallClock(ms: number): void;
  /** Timers that are set and have neither fired nor been cancelled. */
  readonly pendingTimers: number;
}

/** Microtask hops granted to a chain of awaits before it counts as settled. */
const MICROTASK_HOPS = 64;

/** Creates a manual clock. `startAtMs` is the first wall-clock instant (default: 2026-01-01 UTC). */
export function createManualClock(startAtMs = Date.UTC(2026, 0, 1)): ManualClock {
  let wallMs = startAtMs;
  let elapsedMs = 0;
  let order = 0;
  const timers = new Map<number, { atMs: number; run: () => void }>();
  let turns: (() => void)[] = [];

  const settle = async (): Promise<void> => {
    for (;;) {
      for (let hop = 0; hop < MICROTASK_HOPS; hop += 1) await Promise.resolve();
      if (turns.length === 0) return;
      const due = turns;
      turns = [];
      for (const run of due) run();
    }
  };

  const nextDue = (untilMs: number): [number, { atMs: number; run: () => void }] | undefined => {
    let first: [number, { atMs: number; run: () => void }] | undefined;
    for (const entry of timers) {
      if (entry[1].atMs <= untilMs && (first === undefined || entry[1].atMs < first[1].atMs)) first = entry;
    }
    return first;
  };

  return {
    nowMs: () => wallMs,
    monotonicMs: () => elapsedMs,
    setTimer(delayMs, run) {
      order += 1;
      const key = order;
      timers.set(key, { atMs: elapsedMs + Math.max(0, delayMs), run });
      return { cancel: () => void timers.delete(key) };
    },
    nextTurn(run) {
      turns.push(run);
    },
    async advance(ms) {
      const untilMs = elapsedMs + ms;
      await settle();
      for (let due = nextDue(untilMs); due !== undefined; due = nextDue(untilMs)) {
        const [key, timer] = due;
        timers.delete(key);
        wallMs += timer.atMs - elapsedMs;
        elapsedMs = timer.atMs;
        timer.run();
        await settle();
      }
      wallMs += untilMs - elapsedMs;
      elapsedMs = untilMs;
    },
    settle,
    jumpWallClock(ms) {
      wallMs += ms;
    },
    get pendingTimers() {
      return timers.size;
    },
  };
}

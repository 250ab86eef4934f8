import type { Clock, TimerHandle } from '@runwire/kernel';
import type { Prng } from './prng.js';
import type { Actor, Scheduler } from './scheduler.js';

/** How a machine tells the time. */
export interface ClockHabits {
  /** By how much its wall clock is wrong. */
  readonly skewMs: number;
  /** By how much timers come late, at most. */
  readonly maxTimerDelayMs: number;
  /**
   * By how much timers come early, at most. A host counts timers in whole milliseconds of another clock, so that
   * one may fire a moment before the monotonic clock has reached its instant.
   */
  readonly maxTimerLeadMs: number;
}

/** What a clock is made of. */
export interface ActorClockDeps {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
}

/** The clock of one actor. Its timers are gone with the actor. */
export interface ActorClock extends Clock {
  /** Timers that are set and have neither fired nor been cancelled, by who set them. */
  readonly pendingTimers: readonly string[];
  /** Moves the wall clock, as an administrator or NTP would. */
  jump(ms: number): void;
}

/** When virtual time begins, by a right wall clock. */
const EPOCH_MS = Date.UTC(2026, 0, 1);
/** A host has no shorter timer. */
const SHORTEST_TIMER_MS = 1;

/** Creates the clock of `actor`. */
export function createActorClock(deps: ActorClockDeps, actor: Actor, habits: ClockHabits): ActorClock {
  const { scheduler, prng } = deps;
  const bornAtMs = scheduler.nowMs;
  const pending = new Map<TimerHandle, Error | undefined>();
  let skewMs = habits.skewMs;
  let turns: (() => void)[] = [];

  const takeTurns = (): void => {
    const due = turns;
    turns = [];
    for (const run of due) run();
  };

  return {
    nowMs: () => Math.floor(EPOCH_MS + scheduler.nowMs + skewMs),
    monotonicMs: () => scheduler.nowMs - bornAtMs,
    setTimer(delayMs, run) {
      const late = prng.chance(0.8) ? prng.next() : prng.next() * habits.maxTimerDelayMs;
      const early = prng.chance(0.1) ? prng.next() * habits.maxTimerLeadMs : 0;
      const dueMs = Math.max(SHORTEST_TIMER_MS, delayMs) + late - early;
      const ticket = scheduler.schedule(actor, dueMs, 'timer', () => {
        pending.delete(handle);
        run();
      });
      const handle: TimerHandle = {
        cancel() {
          pending.delete(handle);
          ticket.cancel();
        },
      };
      pending.set(handle, scheduler.isTraced ? new Error('timer') : undefined);
      return handle;
    },
    nextTurn(run) {
      turns.push(run);
      if (turns.length === 1) scheduler.schedule(actor, prng.next() * 0.05, 'turn', takeTurns);
    },
    get pendingTimers() {
      return Array.from(pending.values(), (error) => whoCalled(error));
    },
    jump(ms) {
      skewMs += ms;
    },
  };
}

/** The file and line behind the clock's own, and its caller's. */
function whoCalled(error: Error | undefined): string {
  const frames = error?.stack?.split('\n').slice(2, 5) ?? [];
  return frames.map((frame) => /[^/]+:\d+(?=:\d+\)?$)/.exec(frame)?.[0] ?? '?').join(' ← ') || 'a timer';
}

import type { Clock, TimerHandle } from '@runwire/kernel';
import type { RunLimits } from './definitions.js';

/** What a watchdog looks at. */
export interface WatchedRun {
  readonly limits: RunLimits;
  /** Monotonic instant of the last event emitted. */
  lastEmitAtMs(): number;
  /** Called once, unless stopped before. */
  expired(limit: 'run' | 'idle'): void;
}

/** Watches over a run's time with one timer, re-armed when it fires rather than with every event. */
export function startWatchdog(clock: Clock, run: WatchedRun): { stop(): void } {
  const startedAtMs = clock.monotonicMs();
  let timer: TimerHandle | undefined;
  const arm = (): void => {
    const nowMs = clock.monotonicMs();
    const runEndsAtMs = startedAtMs + run.limits.runTimeoutMs;
    const idleEndsAtMs = Math.max(startedAtMs, run.lastEmitAtMs()) + run.limits.idleTimeoutMs;
    if (nowMs >= runEndsAtMs) run.expired('run');
    else if (nowMs >= idleEndsAtMs) run.expired('idle');
    else timer = clock.setTimer(Math.min(runEndsAtMs, idleEndsAtMs) - nowMs, arm);
  };
  arm();
  return { stop: () => timer?.cancel() };
}

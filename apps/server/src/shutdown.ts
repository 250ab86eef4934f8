import type { Clock, Logger } from '@runwire/kernel';

/** One step of a shutdown. */
export interface ShutdownStep {
  readonly name: string;
  /** Does the step; `remainingMs` is what is left of the deadline. */
  readonly run: (remainingMs: number) => unknown;
}

/**
 * Runs the steps in order under one deadline. A step that fails or takes too long is logged and does not
 * keep the next from running. Settles to true when every step did its work in time.
 */
export async function runShutdown(
  steps: readonly ShutdownStep[],
  deps: { readonly clock: Clock; readonly logger: Logger },
  timeoutMs: number,
): Promise<boolean> {
  const deadlineAtMs = deps.clock.monotonicMs() + timeoutMs;
  let clean = true;
  for (const step of steps) {
    const remainingMs = Math.max(MIN_STEP_MS, deadlineAtMs - deps.clock.monotonicMs());
    try {
      await withinTime(deps.clock, remainingMs, step);
      deps.logger.debug({ step: step.name }, 'shutdown step done');
    } catch (err) {
      clean = false;
      deps.logger.error({ err, step: step.name }, 'shutdown step failed');
    }
  }
  return clean;
}

/** What even a step behind the deadline gets: closing a file takes a moment, losing it takes longer. */
const MIN_STEP_MS = 250;

function withinTime(clock: Clock, timeoutMs: number, step: ShutdownStep): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(timeoutMs, () => {
      reject(new Error(`the step "${step.name}" was not done in ${Math.round(timeoutMs)} ms`));
    });
    Promise.resolve()
      .then(() => step.run(timeoutMs))
      .then(() => resolve(), reject)
      .finally(() => timer.cancel());
  });
}

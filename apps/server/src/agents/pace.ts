import type { Clock } from '@runwire/kernel';

/**
 * Waits for an instant of the monotonic clock; not at all for one that has passed. Rejects with the signal's
 * reason when it aborts before.
 */
export function waitUntil(clock: Clock, atMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    if (atMs <= clock.monotonicMs()) return resolve();
    const stop = (): void => {
      timer.cancel();
      reject(signal.reason as Error);
    };
    const timer = clock.setTimer(atMs - clock.monotonicMs(), () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
    signal.addEventListener('abort', stop, { once: true });
  });
}

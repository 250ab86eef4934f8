import type { ServerResponse } from 'node:http';
import type { Clock } from '@runwire/kernel';

/** Counts the requests that are not answered yet. */
export interface RequestsUnderWay {
  begin(response: ServerResponse): void;
  /** Settles when none is left, or after `timeoutMs`. */
  answered(clock: Clock, timeoutMs: number): Promise<void>;
}

/** Creates the count of one application. */
export function createRequestsUnderWay(): RequestsUnderWay {
  const open = new Set<ServerResponse>();
  const waiting = new Set<() => void>();
  return {
    begin(response) {
      open.add(response);
      // `close` comes once, however the response ends, also when the client has gone.
      response.once('close', () => {
        open.delete(response);
        if (open.size === 0) for (const resolve of waiting) resolve();
      });
    },
    async answered(clock, timeoutMs) {
      if (open.size === 0) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          timer.cancel();
          waiting.delete(done);
          resolve();
        };
        const timer = clock.setTimer(timeoutMs, done);
        waiting.add(done);
      });
    },
  };
}

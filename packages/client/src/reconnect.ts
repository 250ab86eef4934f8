import { CLIENT_LIMITS, closeAction, closeReasonRetryAfterMs } from '@runwire/protocol/wire';

/** The delays a server asks for in `connection_established`, or their defaults. */
export interface ReconnectDelays {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  readonly windowMs: number;
}

/** What counts until a server says otherwise. */
export const DEFAULT_DELAYS: ReconnectDelays = {
  minDelayMs: CLIENT_LIMITS.reconnectMinDelayMs,
  maxDelayMs: CLIENT_LIMITS.reconnectMaxDelayMs,
  windowMs: CLIENT_LIMITS.reconnectWindowMs,
};

/** What is known when a connection has ended. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
  /** Attempts in a row that ended before 30 s of a stable connection. */
  readonly failures: number;
  /** The token of this connection was refreshed because of a 4401 right before. */
  readonly refreshed: boolean;
}

/** What to do next. `fixed`: the server set the delay, so coming online does not shorten it. */
export type ReconnectPlan =
  | { readonly kind: 'stop'; readonly report: boolean; readonly resumable: boolean }
  | { readonly kind: 'wait'; readonly delayMs: number; readonly refresh?: boolean; readonly fixed?: boolean };

/** Decides by the close code alone (protocol §7). `random` is uniform in [0, 1). */
export function planReconnect(ending: Ending, delays: ReconnectDelays, random: () => number): ReconnectPlan {
  const backoffMs = fullJitter(ending.failures, delays, random);
  switch (closeAction(ending.code)) {
    case 'stop':
      return { kind: 'stop', report: false, resumable: false };
    case 'stop-and-report':
      return { kind: 'stop', report: true, resumable: false };
    case 'stop-until-user':
      return { kind: 'stop', report: false, resumable: true };
    case 'refresh-then-resume':
      if (ending.refreshed) return { kind: 'stop', report: true, resumable: true };
      return { kind: 'wait', delayMs: backoffMs, refresh: true };
    case 'resume-jitter':
      return { kind: 'wait', delayMs: ending.failures === 0 ? random() * delays.windowMs : backoffMs };
    case 'resume-after-delay': {
      const spreadMs = ending.code === 4503 ? random() * delays.windowMs : backoffMs;
      return { kind: 'wait', delayMs: closeReasonRetryAfterMs(ending.reason) + spreadMs, fixed: true };
    }
    case 'resume':
      return { kind: 'wait', delayMs: backoffMs };
  }
}

/** `random(0, min(maxDelayMs, minDelayMs · 2^n))`: clients that fell together do not come back together. */
export function fullJitter(
  failures: number,
  delays: Pick<ReconnectDelays, 'minDelayMs' | 'maxDelayMs'>,
  random: () => number,
): number {
  return random() * Math.min(delays.maxDelayMs, delays.minDelayMs * 2 ** Math.min(failures, 30));
}

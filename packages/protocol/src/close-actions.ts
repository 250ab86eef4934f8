import { CLIENT_LIMITS } from './client-limits.js';

/**
 * What a client does after a close (§7):
 *
 * - `stop`: it is over.
 * - `stop-until-user`: connect again only when the user asks for it.
 * - `stop-and-report`: stop; this is a bug, tell somebody.
 * - `refresh-then-resume`: get a new token once, then resume; the second time in a row, stop.
 * - `resume`: connect again after the usual delay (full jitter).
 * - `resume-jitter`: the same after a first random wait within `reconnectWindowMs`.
 * - `resume-after-delay`: the same after the delay that the close reason names.
 */
export type CloseAction =
  | 'stop'
  | 'stop-until-user'
  | 'stop-and-report'
  | 'refresh-then-resume'
  | 'resume'
  | 'resume-jitter'
  | 'resume-after-delay';

/** The codes that mean anything but `resume` (§7). */
export const CLOSE_ACTIONS = /* @__PURE__ */ Object.freeze({
  1000: 'stop',
  1001: 'resume-jitter',
  1002: 'stop-and-report',
  1003: 'stop-and-report',
  1007: 'stop-and-report',
  1009: 'stop-and-report',
  1012: 'resume-jitter',
  4400: 'stop-and-report',
  4401: 'refresh-then-resume',
  4403: 'stop',
  4409: 'stop-until-user',
  4429: 'resume-after-delay',
  4503: 'resume-after-delay',
} as const satisfies Readonly<Record<number, CloseAction>>);

/** What a client does after a close with `code`; a code that is not in the table means `resume` (§7). */
export function closeAction(code: number): CloseAction {
  const table: Readonly<Record<number, CloseAction>> = CLOSE_ACTIONS;
  return table[code] ?? 'resume';
}

/** The delay in a close reason, in milliseconds; 5,000 when there is none or it does not parse (§7). */
export function closeReasonRetryAfterMs(reason: string): number {
  let delayMs: unknown;
  try {
    delayMs = Object(JSON.parse(reason)).retryAfterMs;
  } catch {
    // No JSON, as most reasons are.
  }
  return typeof delayMs === 'number' && Number.isSafeInteger(delayMs) && delayMs >= 0
    ? delayMs
    : CLIENT_LIMITS.defaultRetryAfterMs;
}

import { deepFreeze } from './deep-freeze.js';
import { LIMITS } from './limits.js';

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

/** One row of the close table (§7). */
export interface CloseCodeInfo {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
  readonly client: CloseAction;
}

/** The close codes of the protocol (§7), by code. Any other code means `resume`. */
export const CLOSE_CODES = /* @__PURE__ */ deepFreeze({
  1000: { code: 1000, name: 'NORMAL', meaning: 'normal', client: 'stop' },
  1001: { code: 1001, name: 'GOING_AWAY', meaning: 'server going away', client: 'resume-jitter' },
  1002: {
    code: 1002,
    name: 'WEBSOCKET_ERROR',
    meaning: 'WebSocket protocol error',
    client: 'stop-and-report',
  },
  1003: { code: 1003, name: 'BINARY_FRAME', meaning: 'binary frame', client: 'stop-and-report' },
  1006: { code: 1006, name: 'ABNORMAL', meaning: 'closed without a close frame', client: 'resume' },
  1007: { code: 1007, name: 'INVALID_UTF8', meaning: 'invalid UTF-8', client: 'stop-and-report' },
  1009: {
    code: 1009,
    name: 'FRAME_TOO_LARGE',
    meaning: 'transport frame too large',
    client: 'stop-and-report',
  },
  1011: { code: 1011, name: 'UNEXPECTED', meaning: 'server error', client: 'resume' },
  1012: { code: 1012, name: 'RESTART', meaning: 'server restart', client: 'resume-jitter' },
  4400: { code: 4400, name: 'PROTOCOL_ERROR', meaning: 'protocol error', client: 'stop-and-report' },
  4401: {
    code: 4401,
    name: 'UNAUTHENTICATED',
    meaning: 'token missing, invalid or expired',
    client: 'refresh-then-resume',
  },
  4403: { code: 4403, name: 'FORBIDDEN', meaning: 'forbidden, revoked, user changed', client: 'stop' },
  4408: {
    code: 4408,
    name: 'AUTHENTICATION_TIMEOUT',
    meaning: 'no authentication in time',
    client: 'resume',
  },
  4409: {
    code: 4409,
    name: 'CONNECTION_LIMIT',
    meaning: "the user's connection limit closed the oldest",
    client: 'stop-until-user',
  },
  4429: {
    code: 4429,
    name: 'FLOOD',
    meaning: 'went on after being rate limited',
    client: 'resume-after-delay',
  },
  4500: { code: 4500, name: 'SERVER_ERROR', meaning: 'server error', client: 'resume' },
  4503: { code: 4503, name: 'OVERLOADED', meaning: 'overloaded or draining', client: 'resume-after-delay' },
  4508: { code: 4508, name: 'SLOW_CONSUMER', meaning: 'no life for the silence limit', client: 'resume' },
} as const satisfies Readonly<Record<number, CloseCodeInfo>>);

/** A code of the close table. */
export type CloseCode = keyof typeof CLOSE_CODES;

/** What a client does after a close with `code`; a code that is not in the table means `resume` (§7). */
export function closeAction(code: number): CloseAction {
  const table: Readonly<Record<number, CloseCodeInfo>> = CLOSE_CODES;
  return Object.hasOwn(table, code) ? (table[code]?.client ?? 'resume') : 'resume';
}

/** The close reason of 4429 and 4503 (§7). Fits a close frame. */
export function encodeCloseReason(delay: { readonly retryAfterMs: number }): string {
  return JSON.stringify({ retryAfterMs: Math.max(0, Math.ceil(delay.retryAfterMs)) });
}

/** The delay in a close reason, in milliseconds; 5,000 when there is none or it does not parse (§7). */
export function closeReasonRetryAfterMs(reason: string): number {
  try {
    const parsed: unknown = JSON.parse(reason);
    if (typeof parsed !== 'object' || parsed === null || !('retryAfterMs' in parsed)) {
      return LIMITS.defaultRetryAfterMs;
    }
    const { retryAfterMs } = parsed;
    const usable =
      typeof retryAfterMs === 'number' && Number.isSafeInteger(retryAfterMs) && retryAfterMs >= 0;
    return usable ? retryAfterMs : LIMITS.defaultRetryAfterMs;
  } catch {
    return LIMITS.defaultRetryAfterMs;
  }
}

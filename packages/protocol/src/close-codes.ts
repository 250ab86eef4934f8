import { CLOSE_ACTIONS, type CloseAction } from './close-actions.js';
import { deepFreeze } from './deep-freeze.js';

/** One row of the close table (§7). */
export interface CloseCodeInfo {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
  readonly client: CloseAction;
}

/** The close codes of the protocol (§7), by code. Any other code means `resume`. */
export const CLOSE_CODES = /* @__PURE__ */ deepFreeze({
  1000: { code: 1000, name: 'NORMAL', meaning: 'normal', client: CLOSE_ACTIONS[1000] },
  1001: { code: 1001, name: 'GOING_AWAY', meaning: 'server going away', client: CLOSE_ACTIONS[1001] },
  1002: {
    code: 1002,
    name: 'WEBSOCKET_ERROR',
    meaning: 'WebSocket protocol error',
    client: CLOSE_ACTIONS[1002],
  },
  1003: { code: 1003, name: 'BINARY_FRAME', meaning: 'binary frame', client: CLOSE_ACTIONS[1003] },
  1006: { code: 1006, name: 'ABNORMAL', meaning: 'closed without a close frame', client: 'resume' },
  1007: { code: 1007, name: 'INVALID_UTF8', meaning: 'invalid UTF-8', client: CLOSE_ACTIONS[1007] },
  1009: {
    code: 1009,
    name: 'FRAME_TOO_LARGE',
    meaning: 'transport frame too large',
    client: CLOSE_ACTIONS[1009],
  },
  1011: { code: 1011, name: 'UNEXPECTED', meaning: 'server error', client: 'resume' },
  1012: { code: 1012, name: 'RESTART', meaning: 'server restart', client: CLOSE_ACTIONS[1012] },
  4400: { code: 4400, name: 'PROTOCOL_ERROR', meaning: 'protocol error', client: CLOSE_ACTIONS[4400] },
  4401: {
    code: 4401,
    name: 'UNAUTHENTICATED',
    meaning: 'token missing, invalid or expired',
    client: CLOSE_ACTIONS[4401],
  },
  4403: {
    code: 4403,
    name: 'FORBIDDEN',
    meaning: 'forbidden, revoked, user changed',
    client: CLOSE_ACTIONS[4403],
  },
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
    client: CLOSE_ACTIONS[4409],
  },
  4429: {
    code: 4429,
    name: 'FLOOD',
    meaning: 'went on after being rate limited',
    client: CLOSE_ACTIONS[4429],
  },
  4500: { code: 4500, name: 'SERVER_ERROR', meaning: 'server error', client: 'resume' },
  4503: { code: 4503, name: 'OVERLOADED', meaning: 'overloaded or draining', client: CLOSE_ACTIONS[4503] },
  4508: { code: 4508, name: 'SLOW_CONSUMER', meaning: 'no life for the silence limit', client: 'resume' },
} as const satisfies Readonly<Record<number, CloseCodeInfo>>);

/** A code of the close table. */
export type CloseCode = keyof typeof CLOSE_CODES;

/** The close reason of 4429 and 4503 (§7). Fits a close frame. */
export function encodeCloseReason(delay: { readonly retryAfterMs: number }): string {
  return JSON.stringify({ retryAfterMs: Math.max(0, Math.ceil(delay.retryAfterMs)) });
}

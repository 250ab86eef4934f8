import { createErrorBody, type ErrorCode } from '@runwire/protocol';
import type { Readiness, Refusal, Reservation, UpgradeAnswer } from './contract.js';
import {
  type HandshakeRequest,
  headerOf,
  offeredSubprotocols,
  pathOf,
  selectsSubprotocol,
} from './handshake.js';
import type { ResolvedOptions } from './options.js';

/** Why an upgrade is refused, for counting. */
export type RefusalReason =
  | 'path'
  | 'readiness'
  | 'origin'
  | 'subprotocol'
  | 'limits'
  | 'malformed'
  | 'internal';

/** Whether a connection is accepted. */
export type UpgradeDecision =
  | { readonly kind: 'accepted'; readonly reservation: Reservation }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly answer: UpgradeAnswer };

/** What the checks ask. */
export interface UpgradeChecks {
  readonly options: ResolvedOptions;
  readiness(): Readiness;
  reserve(): Reservation | Refusal;
}

const MS_PER_SECOND = 1_000;

/** The checks before accept, in the order of protocol §2. Each sees only what the former let pass. */
export function decideUpgrade(request: HandshakeRequest, checks: UpgradeChecks): UpgradeDecision {
  if (pathOf(request) !== checks.options.path) {
    return refuse('path', answer(404, 'NOT_FOUND', 'There is no such endpoint.'));
  }
  const readiness = checks.readiness();
  if (!readiness.ready) {
    return refuse('readiness', answer(503, 'NOT_READY', readiness.message, readiness.retryAfterMs));
  }
  if (!isAllowedOrigin(request, checks.options.allowedOrigins)) {
    return refuse('origin', answer(403, 'FORBIDDEN', 'This origin may not connect.'));
  }
  if (offeredSubprotocols(request).length > 0 && !selectsSubprotocol(request)) {
    return refuse('subprotocol', malformedAnswer('Offer the subprotocol runwire.v1, or none.'));
  }
  const place = checks.reserve();
  if (place.kind === 'refused') {
    return refuse('limits', answer(429, 'RATE_LIMITED', place.message, place.retryAfterMs));
  }
  return { kind: 'accepted', reservation: place };
}

/** What a request without an upgrade is told when an upgrade would be accepted. */
export function upgradeRequiredAnswer(): UpgradeAnswer {
  const { headers, body } = answer(426, 'INVALID_MESSAGE', 'This endpoint speaks WebSocket.');
  return { status: 426, headers: { ...headers, upgrade: 'websocket' }, body };
}

/** 400: a handshake that is none, or offers only subprotocols of others. */
export function malformedAnswer(message: string): UpgradeAnswer {
  return answer(400, 'INVALID_MESSAGE', message);
}

/** 500: a port failed. */
export function internalAnswer(correlationId: string): UpgradeAnswer {
  return answer(500, 'INTERNAL', `${createErrorBody('INTERNAL').message} (${correlationId})`);
}

/** An HTTP/1.1 response, for a socket that has not been upgraded. */
export function formatAnswer(refusal: UpgradeAnswer): string {
  const body = Buffer.from(refusal.body);
  const headers = Object.entries({
    ...refusal.headers,
    connection: 'close',
    'content-length': body.byteLength,
  });
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${refusal.status} ${REASON_PHRASES[refusal.status] ?? 'Error'}\r\n${lines.join('')}\r\n${refusal.body}`;
}

const REASON_PHRASES: Readonly<Record<number, string>> = Object.freeze({
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
});

function isAllowedOrigin(request: HandshakeRequest, allowed: ReadonlySet<string> | undefined): boolean {
  const origin = headerOf(request, 'origin');
  if (origin === '') return request.headers['origin'] === undefined;
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  if (allowed !== undefined) return allowed.has(url.origin);
  return url.host !== '' && url.host === headerOf(request, 'host').toLowerCase();
}

function answer(status: number, code: ErrorCode, message: string, retryAfterMs?: number): UpgradeAnswer {
  const retryAfter =
    retryAfterMs === undefined
      ? {}
      : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / MS_PER_SECOND))) };
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...retryAfter,
    },
    body: JSON.stringify({ error: { code, message } }),
  };
}

function refuse(reason: RefusalReason, refusal: UpgradeAnswer): UpgradeDecision {
  return { kind: 'refused', reason, answer: refusal };
}

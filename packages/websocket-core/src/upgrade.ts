import { createErrorBody, type ErrorCode } from '@runwire/protocol';
import type { Readiness, Refusal, Reservation, UpgradeAnswer } from './contract.js';
import {
  type Credentials,
  credentialsOf,
  type HandshakeRequest,
  headerOf,
  offersOnlyOthers,
  pathOf,
  streamCredentialsOf,
} from './handshake.js';
import type { ResolvedOptions } from './options.js';

/** Why an upgrade is refused, for counting. */
export type RefusalReason =
  | 'path'
  | 'readiness'
  | 'origin'
  | 'subprotocol'
  | 'token'
  | 'limits'
  | 'malformed'
  | 'internal';

/** Whether a connection is accepted, be it an upgrade or a stream. */
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

/** One way to connect: how its requests are read and what is asked of them. */
export interface Entrance {
  /** Undefined: the first message brings the token. */
  credentialsOf(request: HandshakeRequest): Credentials | undefined;
  /** The checks before accept. Each sees only what the former let pass. */
  decide(request: HandshakeRequest, checks: UpgradeChecks): UpgradeDecision;
  /** Whether the peer's messages come beside the socket, each in a request that waits for its answer. */
  readonly takesPosts: boolean;
}

/** An upgrade to a WebSocket, checked in the order of protocol §2. */
export const WEBSOCKET_ENTRANCE: Entrance = Object.freeze({
  takesPosts: false,
  credentialsOf,
  decide: (request: HandshakeRequest, checks: UpgradeChecks): UpgradeDecision => {
    if (pathOf(request) === checks.options.path) return decide(request, checks, subprotocolRefusal);
    return refuse('path', answer(404, 'NOT_FOUND', 'There is no such endpoint.'));
  },
});

/** A stream of server-sent events. Its path is its router's; the peer can say nothing before its token. */
export const STREAM_ENTRANCE: Entrance = Object.freeze({
  takesPosts: true,
  credentialsOf: streamCredentialsOf,
  decide: (request: HandshakeRequest, checks: UpgradeChecks): UpgradeDecision =>
    decide(request, checks, tokenRefusal),
});

type Refused = Extract<UpgradeDecision, { kind: 'refused' }>;

function decide(
  request: HandshakeRequest,
  checks: UpgradeChecks,
  malformed: (request: HandshakeRequest) => Refused | undefined,
): UpgradeDecision {
  const readiness = checks.readiness();
  if (!readiness.ready) {
    return refuse('readiness', answer(503, 'NOT_READY', readiness.message, readiness.retryAfterMs));
  }
  if (!isAllowedOrigin(request, checks.options.allowedOrigins)) {
    return refuse('origin', answer(403, 'FORBIDDEN', 'This origin may not connect.'));
  }
  const refused = malformed(request);
  if (refused !== undefined) return refused;
  const place = checks.reserve();
  if (place.kind === 'refused') {
    return refuse('limits', answer(429, 'RATE_LIMITED', place.message, place.retryAfterMs));
  }
  return { kind: 'accepted', reservation: place };
}

function subprotocolRefusal(request: HandshakeRequest): Refused | undefined {
  if (!offersOnlyOthers(request)) return undefined;
  return refuse('subprotocol', malformedAnswer('Offer the subprotocol runwire.v1, or none.'));
}

function tokenRefusal(request: HandshakeRequest): Refused | undefined {
  if (streamCredentialsOf(request) !== undefined) return undefined;
  return refuse('token', unauthenticatedAnswer('UNAUTHENTICATED'));
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

/** 401: there is no token, or one that is refused with `code`. */
export function unauthenticatedAnswer(code: string): UpgradeAnswer {
  const known = code === 'TOKEN_EXPIRED' || code === 'TOKEN_INVALID' ? code : 'UNAUTHENTICATED';
  const { body, headers, status } = answer(401, known, createErrorBody(known).message);
  return { status, headers: { ...headers, 'www-authenticate': 'Bearer' }, body };
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

function refuse(reason: RefusalReason, refusal: UpgradeAnswer): Refused {
  return { kind: 'refused', reason, answer: refusal };
}

import { randomInt } from 'node:crypto';
import { LIMITS } from '@runwire/protocol';
import { SocketError } from './errors.js';

/** The limits of sockets (protocol §3, §7a). All defaults are those of `LIMITS` in `@runwire/protocol`. */
export interface SocketLimits {
  /** For a token to come and to be verified; then 4408. @defaultValue 5_000 */
  readonly authenticationTimeoutMs: number;
  /** Of the one frame before authentication; then 1009. @defaultValue 8_192 */
  readonly maxBytesBeforeAuthentication: number;
  /** Frames held before `connection_established`; then 4400. @defaultValue 16 */
  readonly maxHeldFrames: number;
  /** Bytes held before `connection_established`; then 4400. @defaultValue 65_536 */
  readonly maxHeldBytes: number;
  /** UTF-8 bytes of a message; then `MESSAGE_TOO_LARGE`. @defaultValue 65_536 */
  readonly maxMessageBytes: number;
  /** Bytes of a transport frame; then 1009. @defaultValue 1_048_576 */
  readonly maxTransportFrameBytes: number;
  /** Fragments of a message; then 1009. @defaultValue 128 */
  readonly maxFragmentsPerMessage: number;
  /** Nested objects and arrays; then `INVALID_MESSAGE`. @defaultValue 32 */
  readonly maxJsonDepth: number;
  /** Per user, over all of the user's connections; then `RATE_LIMITED`. @defaultValue 60 */
  readonly maxCommandsPerMinute: number;
  /** `RATE_LIMITED` answers per connection and minute; then 4429. @defaultValue 100 */
  readonly maxRateLimitedPerMinute: number;
  /** Per connection; then dropped. @defaultValue 100 */
  readonly maxAcksAndPingsPerSecond: number;
  /** Per connection, those dropped included; then 4429. @defaultValue 1_000 */
  readonly maxAcksAndPingsPerTenSeconds: number;
  /** Per connection; then 4400. @defaultValue 20 */
  readonly maxBadMessagesPerMinute: number;
  /** Between heartbeats, ± 10 %. @defaultValue 20_000 */
  readonly heartbeatIntervalMs: number;
  /** Without an inbound frame; then 4508 or terminated. At least 1.4 heartbeat intervals. @defaultValue 30_000 */
  readonly silenceTimeoutMs: number;
  /** From the expiry of a token that is not refreshed to 4401. @defaultValue 25_000 */
  readonly tokenGraceMs: number;
  /** For the peer's answer to a close; then the socket is destroyed. @defaultValue 1_000 */
  readonly closeTimeoutMs: number;
  /** `bufferedBytes` below this has drained. @defaultValue 65_536 */
  readonly socketBufferLowBytes: number;
  /** Buffered bytes beyond which no more control messages are taken; then 4508. @defaultValue 1_048_576 */
  readonly maxBufferedBytes: number;
}

/** Options of a socket server. */
export interface SocketServerOptions {
  /** Path of the endpoint. @defaultValue '/ws' */
  readonly path?: string;
  /**
   * Origins that may connect, like `https://app.example.com`. A request without an `Origin` header is always
   * allowed: browsers always send one. @defaultValue the origin whose host is the request's `Host`
   */
  readonly allowedOrigins?: readonly string[];
  readonly limits?: Partial<SocketLimits>;
  /** A number in [0, 1), for jitter. @defaultValue a cryptographic source */
  readonly random?: () => number;
}

/** The defaults of {@link SocketLimits}. */
export const DEFAULT_SOCKET_LIMITS: SocketLimits = Object.freeze({
  authenticationTimeoutMs: LIMITS.authenticationTimeoutMs,
  maxBytesBeforeAuthentication: LIMITS.maxBytesBeforeAuthentication,
  maxHeldFrames: LIMITS.maxHeldFrames,
  maxHeldBytes: LIMITS.maxHeldBytes,
  maxMessageBytes: LIMITS.maxMessageBytes,
  maxTransportFrameBytes: LIMITS.maxTransportFrameBytes,
  maxFragmentsPerMessage: LIMITS.maxFragmentsPerMessage,
  maxJsonDepth: LIMITS.maxJsonDepth,
  maxCommandsPerMinute: LIMITS.maxCommandsPerMinute,
  maxRateLimitedPerMinute: LIMITS.maxRateLimitedPerMinute,
  maxAcksAndPingsPerSecond: LIMITS.maxAcksAndPingsPerSecond,
  maxAcksAndPingsPerTenSeconds: LIMITS.maxAcksAndPingsPerTenSeconds,
  maxBadMessagesPerMinute: LIMITS.maxBadMessagesPerMinute,
  heartbeatIntervalMs: LIMITS.heartbeatIntervalMs,
  silenceTimeoutMs: LIMITS.silenceTimeoutMs,
  tokenGraceMs: LIMITS.tokenGraceMs,
  closeTimeoutMs: LIMITS.closeTimeoutMs,
  socketBufferLowBytes: LIMITS.socketBufferLowBytes,
  maxBufferedBytes: 1_048_576,
});

/** Options with every default filled in. */
export interface ResolvedOptions {
  readonly path: string;
  /** Undefined: the same origin. */
  readonly allowedOrigins: ReadonlySet<string> | undefined;
  readonly limits: SocketLimits;
  readonly random: () => number;
}

/** A silence limit must outlast one lost heartbeat's jitter (architecture §6). */
const MIN_SILENCE_RATIO = 1.4;
const RANDOM_STEPS = 2 ** 32;

const LIMIT_NAMES = Object.freeze(Object.keys(DEFAULT_SOCKET_LIMITS)) as readonly (keyof SocketLimits)[];

/** @throws SocketError `SOCKET_INVALID_OPTION` naming the option */
export function resolveOptions(options: SocketServerOptions): ResolvedOptions {
  const path = options.path ?? '/ws';
  if (!path.startsWith('/')) throw invalid('path', 'a path that starts with /', path);
  return Object.freeze({
    path,
    allowedOrigins: options.allowedOrigins === undefined ? undefined : originSet(options.allowedOrigins),
    limits: resolveLimits(options.limits ?? {}),
    random: options.random ?? (() => randomInt(RANDOM_STEPS) / RANDOM_STEPS),
  });
}

/** Reads the limits it knows, whatever else the object holds: an application passes its whole table. */
function resolveLimits(limits: Partial<SocketLimits>): SocketLimits {
  const resolved: { -readonly [K in keyof SocketLimits]: number } = { ...DEFAULT_SOCKET_LIMITS };
  for (const name of LIMIT_NAMES) {
    const value = limits[name];
    if (value === undefined) continue;
    if (!Number.isFinite(value) || value <= 0) throw invalid(name, 'a positive number', value);
    resolved[name] = value;
  }
  if (resolved.silenceTimeoutMs < resolved.heartbeatIntervalMs * MIN_SILENCE_RATIO) {
    throw invalid('silenceTimeoutMs', 'at least 1.4 heartbeat intervals', resolved.silenceTimeoutMs);
  }
  return Object.freeze(resolved);
}

function originSet(origins: readonly string[]): ReadonlySet<string> {
  return new Set(
    origins.map((origin) => {
      if (!URL.canParse(origin)) throw invalid('allowedOrigins', 'origins like https://example.com', origin);
      return new URL(origin).origin;
    }),
  );
}

function invalid(name: string, expected: string, value: unknown): SocketError {
  return new SocketError(
    'SOCKET_INVALID_OPTION',
    `Option ${name}: expected ${expected}, got ${String(value)}.`,
    {
      details: { name },
    },
  );
}

import { CLIENT_LIMITS } from './client-limits.js';

/** Every limit of the protocol (§7a), with its unit in its name. A server may be set to others. */
export interface Limits {
  /** One client→server message, in UTF-8 bytes. Beyond: `MESSAGE_TOO_LARGE`, the connection stays. */
  readonly maxMessageBytes: number;
  /** One WebSocket frame from a client. Beyond: closed 1009. */
  readonly maxTransportFrameBytes: number;
  /** Nested objects and arrays in a message. Beyond: `INVALID_MESSAGE`. */
  readonly maxJsonDepth: number;
  /** Beyond: closed 1009. */
  readonly maxFragmentsPerMessage: number;
  /** Per user. Beyond: `RATE_LIMITED` with `retryAfterMs`. */
  readonly maxCommandsPerMinute: number;
  /** `RATE_LIMITED` answers per user. Going on after them: closed 4429. */
  readonly maxRateLimitedPerMinute: number;
  /** Per connection. Beyond: dropped. */
  readonly maxAcksAndPingsPerSecond: number;
  /** Per connection. Beyond: closed 4429. */
  readonly maxAcksAndPingsPerTenSeconds: number;
  /** Beyond: the user's oldest connection is closed 4409. */
  readonly maxConnectionsPerUser: number;
  /** Beyond: the upgrade is answered 429. */
  readonly maxConnectionsPerIp: number;
  /** Per process. Beyond: the upgrade is answered 429. */
  readonly maxConnections: number;
  /** Beyond: the upgrade is answered 429. */
  readonly maxUpgradesPerIpPerSecond: number;
  /** Beyond: `RUN_LIMIT`. */
  readonly maxRunsPerUser: number;
  /** Per process. Beyond: `RUN_LIMIT`. */
  readonly maxRuns: number;
  /** Beyond: `THREAD_BUSY`. */
  readonly maxQueuedPerThread: number;
  /** One encoded event. A larger `result` or `output` is stored and sent as a URL. */
  readonly maxEventBytes: number;
  /** The text of one delta; the emitter splits. */
  readonly maxDeltaTextBytes: number;
  /** One page read from the log. */
  readonly maxPageEvents: number;
  /** One page read from the log, at least one event. */
  readonly maxPageBytes: number;
  /** One server→client frame, or one larger event alone. */
  readonly maxFrameBytes: number;
  /** In flight to a client that acks; beyond, its connection is served from the log. */
  readonly maxUnackedBytes: number;
  /** The largest frame that every client must accept. */
  readonly maxClientFrameBytes: number;
  /** Below it a connection takes more. */
  readonly socketBufferLowBytes: number;
  /** Above it a connection takes nothing. */
  readonly socketBufferHighBytes: number;
  /** Per user; beyond it an emit waits. */
  readonly maxLoggedBytesPerSecond: number;
  /** Per user; beyond it the stream's `first` moves. */
  readonly retentionMs: number;
  /** Per user; beyond it the stream's `first` moves. */
  readonly retentionEvents: number;
  /** Per user; beyond it the stream's `first` moves. */
  readonly retentionBytes: number;
  /** A whole run. Beyond: it ends `timed_out`. */
  readonly runTimeoutMs: number;
  /** A run without any event. Beyond: it ends `timed_out`. */
  readonly runIdleTimeoutMs: number;
  /** One tool call. Beyond: `timeout`. */
  readonly toolTimeoutMs: number;
  /** Beyond: `denied`. */
  readonly approvalTimeoutMs: number;
  /** From a stop to the terminal event. */
  readonly stopTimeoutMs: number;
  /** Between two `heartbeat` messages and WebSocket pings. */
  readonly heartbeatIntervalMs: number;
  /** The share by which that interval varies, so that connections do not beat together. */
  readonly heartbeatJitter: number;
  /** Without any inbound frame. Beyond: closed. */
  readonly silenceTimeoutMs: number;
  /** Added to it per KiB by which the largest unacked frame exceeds `maxFrameBytes`. */
  readonly silenceExtraMsPerKib: number;
  /** Over which a draining server spreads the departure of its clients. */
  readonly drainWindowMs: number;
  /** From the signal to the end of the process. */
  readonly shutdownTimeoutMs: number;
  /** From a close frame to the end of the socket, whether or not the peer answers. */
  readonly closeTimeoutMs: number;
  /** Beyond: closed 4408. */
  readonly authenticationTimeoutMs: number;
  /** Beyond: closed 4400. */
  readonly maxFramesBeforeAuthentication: number;
  /** Beyond: closed 1009. */
  readonly maxBytesBeforeAuthentication: number;
  /** Frames held between a handshake with a token and `connection_established`. Beyond: closed 4400. */
  readonly maxHeldFrames: number;
  /** Bytes of those frames. Beyond: closed 4400. */
  readonly maxHeldBytes: number;
  /** Messages that do not decode, per connection. Beyond: closed 4400. */
  readonly maxBadMessagesPerMinute: number;
  /** Per connection. Beyond: `RATE_LIMITED`. */
  readonly maxResyncsPerMinute: number;
  /** A client that is not behind acks after this many bytes … */
  readonly ackEveryBytes: number;
  /** … or this long, whichever is first. */
  readonly ackDelayMs: number;
  /** How long a client waits for the answer to a `resync` before it sends another. */
  readonly resyncTimeoutMs: number;
  /** Events of a thread held back while its snapshot loads. Beyond: the snapshot is asked for again. */
  readonly maxHeldThreadEvents: number;
  /** The first reconnect delay is random between 0 and this. */
  readonly reconnectMinDelayMs: number;
  /** No reconnect delay is longer. */
  readonly reconnectMaxDelayMs: number;
  /** The first random wait after 1001, 1012 and 4503 lies in it. */
  readonly reconnectWindowMs: number;
  /** A connection that lasted this long resets the reconnect delay. */
  readonly reconnectStableMs: number;
  /** The delay of a 4429 or 4503 whose reason names none. */
  readonly defaultRetryAfterMs: number;
  /** How long a command's answer is remembered. */
  readonly commandRetentionMs: number;
  /** How long a repeated command waits for the first. Beyond: `COMMAND_PENDING`. */
  readonly commandWaitMs: number;
  /** From a token's expiry to the end of delivery. */
  readonly tokenGraceMs: number;
  /** `auth_expiring` is sent at least this long before the expiry … */
  readonly authExpiringMinLeadMs: number;
  /** … or this share of the token's lifetime, whichever is longer. */
  readonly authExpiringLeadRatio: number;
  /** Deltas of one part within this window go together. */
  readonly rollupWindowMs: number;
}

/** The protocol's defaults (§7a). Frozen. */
export const LIMITS: Limits = /* @__PURE__ */ Object.freeze({
  ...CLIENT_LIMITS,
  maxTransportFrameBytes: 1_048_576,
  maxJsonDepth: 32,
  maxFragmentsPerMessage: 128,
  maxCommandsPerMinute: 60,
  maxRateLimitedPerMinute: 100,
  maxAcksAndPingsPerSecond: 100,
  maxAcksAndPingsPerTenSeconds: 1_000,
  maxConnectionsPerUser: 10,
  maxConnectionsPerIp: 50,
  maxConnections: 10_000,
  maxUpgradesPerIpPerSecond: 20,
  maxRunsPerUser: 3,
  maxRuns: 200,
  maxQueuedPerThread: 10,
  maxEventBytes: 262_144,
  maxDeltaTextBytes: 16_384,
  maxPageEvents: 1_024,
  maxPageBytes: 262_144,
  maxFrameBytes: 16_384,
  maxUnackedBytes: 262_144,
  maxClientFrameBytes: 307_200,
  socketBufferLowBytes: 65_536,
  socketBufferHighBytes: 262_144,
  maxLoggedBytesPerSecond: 8_388_608,
  retentionMs: 604_800_000,
  retentionEvents: 1_000_000,
  retentionBytes: 268_435_456,
  runTimeoutMs: 600_000,
  runIdleTimeoutMs: 60_000,
  toolTimeoutMs: 30_000,
  approvalTimeoutMs: 600_000,
  stopTimeoutMs: 1_000,
  heartbeatIntervalMs: 20_000,
  heartbeatJitter: 0.1,
  silenceTimeoutMs: 30_000,
  silenceExtraMsPerKib: 1_000,
  drainWindowMs: 5_000,
  shutdownTimeoutMs: 30_000,
  closeTimeoutMs: 1_000,
  authenticationTimeoutMs: 5_000,
  maxFramesBeforeAuthentication: 1,
  maxBytesBeforeAuthentication: 8_192,
  maxHeldFrames: 16,
  maxHeldBytes: 65_536,
  maxBadMessagesPerMinute: 20,
  maxResyncsPerMinute: 6,
  commandWaitMs: 10_000,
  tokenGraceMs: 25_000,
  authExpiringMinLeadMs: 60_000,
  authExpiringLeadRatio: 0.2,
  rollupWindowMs: 40,
});

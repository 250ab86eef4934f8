/** The limits of a simulated server, by the names of protocol §7a: small, so that they are met often. */
export interface NodeLimits {
  readonly maxFrameBytes: number;
  readonly maxUnackedBytes: number;
  readonly socketBufferLowBytes: number;
  readonly socketBufferHighBytes: number;
  readonly maxPageEvents: number;
  readonly maxPageBytes: number;
  readonly rollupWindowMs: number;
  readonly maxLoggedBytesPerSecond: number;
  readonly maxPendingBytes: number;
  readonly heartbeatIntervalMs: number;
  readonly silenceTimeoutMs: number;
  readonly maxConnectionsPerUser: number;
  readonly tokenGraceMs: number;
  readonly drainWindowMs: number;
  readonly shutdownTimeoutMs: number;
  readonly runTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly stopTimeoutMs: number;
  readonly toolTimeoutMs: number;
  /** Events that the log keeps for a user. */
  readonly retentionEvents: number;
}

/** The limits and delays that a client keeps (§7a). Small enough for a browser bundle; part of `LIMITS`. Frozen. */
export const CLIENT_LIMITS = /* @__PURE__ */ Object.freeze({
  maxMessageBytes: 65_536,
  ackEveryBytes: 65_536,
  ackDelayMs: 250,
  resyncTimeoutMs: 10_000,
  maxHeldThreadEvents: 10_000,
  reconnectMinDelayMs: 500,
  reconnectMaxDelayMs: 20_000,
  reconnectWindowMs: 5_000,
  reconnectStableMs: 30_000,
  defaultRetryAfterMs: 5_000,
  commandRetentionMs: 86_400_000,
});

import { LIMITS, type Limits } from '@runwire/protocol';

/** More than any workload reaches. */
const UNREACHED = 10_000_000;

/**
 * The limits of the protocol, but for those that hold one address or one user back: here one address has every
 * connection, and one user may have all of the machine and a million events.
 */
export const RAISED_LIMITS: Limits = Object.freeze({
  ...LIMITS,
  maxConnections: UNREACHED,
  maxConnectionsPerIp: UNREACHED,
  maxUpgradesPerIpPerSecond: UNREACHED,
  maxLoggedBytesPerSecond: 2 ** 40,
  retentionEvents: UNREACHED,
  retentionBytes: 2 ** 40,
});

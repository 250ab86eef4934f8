import { LIMITS } from '@runwire/protocol';
import { PoolError } from './errors.js';

/** Options of a pool; the limits are those of protocol §7a. */
export interface ConnectionPoolOptions {
  /** Then the user's oldest connection is closed 4409. @defaultValue 10 */
  readonly maxConnectionsPerUser?: number;
  /** Of one address; then 429. @defaultValue 50 */
  readonly maxConnectionsPerIp?: number;
  /** Of the process; then 429. @defaultValue 10_000 */
  readonly maxConnections?: number;
  /** Of one address, in any second; then 429. @defaultValue 20 */
  readonly maxUpgradesPerIpPerSecond?: number;
  /** Between two looks for dead connections, and how recent a sign of life counts. @defaultValue 30_000 */
  readonly healthIntervalMs?: number;
  /** Over which clients are asked to leave when the pool drains. @defaultValue 5_000 */
  readonly drainWindowMs?: number;
  /** Connections told or closed in one turn when the pool drains or closes. @defaultValue 256 */
  readonly maxDrainedPerTurn?: number;
  /** What a client refused for a full address or process is told to wait. @defaultValue 5_000 */
  readonly retryAfterMs?: number;
}

/** Options with every default filled in. */
export type ResolvedPoolOptions = Readonly<Required<ConnectionPoolOptions>>;

/** The defaults of {@link ConnectionPoolOptions}. */
export const DEFAULT_POOL_OPTIONS: Readonly<Required<ConnectionPoolOptions>> = Object.freeze({
  maxConnectionsPerUser: LIMITS.maxConnectionsPerUser,
  maxConnectionsPerIp: LIMITS.maxConnectionsPerIp,
  maxConnections: LIMITS.maxConnections,
  maxUpgradesPerIpPerSecond: LIMITS.maxUpgradesPerIpPerSecond,
  healthIntervalMs: LIMITS.silenceTimeoutMs,
  drainWindowMs: LIMITS.drainWindowMs,
  maxDrainedPerTurn: 256,
  retryAfterMs: LIMITS.defaultRetryAfterMs,
});

const NAMES = Object.freeze(Object.keys(DEFAULT_POOL_OPTIONS)) as readonly (keyof ResolvedPoolOptions)[];

/**
 * Reads the options it knows, whatever else the object holds: an application passes its whole configuration.
 *
 * @throws PoolError `POOL_INVALID_OPTION` naming the option
 */
export function resolveOptions(options: ConnectionPoolOptions): ResolvedPoolOptions {
  const resolved: { -readonly [K in keyof ResolvedPoolOptions]: number } = { ...DEFAULT_POOL_OPTIONS };
  for (const name of NAMES) {
    const value = options[name];
    if (value === undefined) continue;
    const isCount = name.startsWith('max');
    if (!Number.isFinite(value) || value <= 0 || (isCount && !Number.isInteger(value))) {
      const expected = isCount ? 'a positive whole number' : 'a positive number';
      const message = `Option ${name}: expected ${expected}, got ${String(value)}.`;
      throw new PoolError('POOL_INVALID_OPTION', message, { details: { name } });
    }
    resolved[name] = value;
  }
  return Object.freeze(resolved);
}

/**
 * Who is connected: admission, lookup, limits, health, drain.
 *
 * @packageDocumentation
 */
export type {
  ConnectionPool,
  ConnectionPoolDeps,
  PoolStats,
  UserHealth,
  WebSocketManager,
} from './contract.js';
export type { PoolErrorCode } from './errors.js';
export { POOL_ERROR_CODES, PoolError } from './errors.js';
export type { ConnectionPoolOptions } from './options.js';
export { DEFAULT_POOL_OPTIONS } from './options.js';
export { createConnectionPool } from './pool.js';

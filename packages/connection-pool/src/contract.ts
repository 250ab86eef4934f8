import type { ConnectionId, UserId } from '@runwire/id-generation';
import type { Clock, Lifecycle, Logger } from '@runwire/kernel';
import type { ControlMessage } from '@runwire/protocol';
import type { RequestContext } from '@runwire/user-context';
import type { Admission, ClientConnection, ConnectionInfo } from '@runwire/websocket-core';

/** What a pool is built from. */
export interface ConnectionPoolDeps {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Every open connection of this process: admission, lookup, limits, health, drain. */
export interface ConnectionPool extends Admission, Lifecycle {
  /** Starts health monitoring. Idempotent. */
  start(): void;
  /** The user's open connections, in order of admission; empty when there is none. For delivery. */
  connectionsOf(userId: UserId): readonly ClientConnection[];
  /**
   * The manager of the context's user: the same instance while the user has a connection, another for
   * another user. Synchronous, and the context is its one argument.
   *
   * @throws PoolError `POOL_INVALID_CONTEXT`
   */
  managerFor(context: RequestContext): WebSocketManager;
  /** Closes (1000) the connection that `connection` replaces, now that it has caught up. */
  completeReplacement(connection: ClientConnection): void;
  stats(): PoolStats;
}

/** What may be done with one user's connections. It cannot send an event: events come from the log alone. */
export interface WebSocketManager {
  readonly userId: UserId;
  /** A snapshot, in order of admission. */
  connections(): readonly ConnectionInfo[];
  /**
   * Closes one of the user's connections; false when the user has none of that id.
   * @throws PoolError `POOL_NOT_OWNER` when the connection is another user's (counted)
   */
  disconnect(connectionId: ConnectionId, code: number): boolean;
  /** Closes all; returns how many. */
  disconnectAll(code: number): number;
  /** Sends a control message to each of the user's connections; returns to how many. */
  notify(control: ControlMessage): number;
  health(): UserHealth;
}

/** How one user's connections are. */
export interface UserHealth {
  readonly connections: number;
  /** Connections that were heard from within the last health interval. */
  readonly responsive: number;
  readonly unackedBytes: number;
}

/** Counts over the whole pool. */
export interface PoolStats {
  readonly connections: number;
  readonly users: number;
  readonly addresses: number;
  readonly reservations: number;
  readonly managers: number;
  readonly admitted: number;
  readonly refused: Readonly<Record<'address' | 'total' | 'rate' | 'closed', number>>;
  /** Connections closed with 4409 because the user opened more than the limit. */
  readonly displaced: number;
  /** Attempts to reach another user's connection. */
  readonly foreignAccess: number;
  /** Dead connections that health monitoring removed. */
  readonly reaped: number;
  readonly monitoring: boolean;
}

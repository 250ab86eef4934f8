import type { ConnectionId, UserId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import type { ControlMessage } from '@runwire/protocol';
import type { ConnectionInfo } from '@runwire/websocket-core';
import type { UserHealth, WebSocketManager } from './contract.js';
import { PoolError } from './errors.js';
import type { Members } from './members.js';

/** What a manager needs of its pool. */
export interface ManagerDeps {
  readonly members: Members;
  readonly clock: Clock;
  readonly healthIntervalMs: number;
  /** Somebody reached for another user's connection. */
  foreignAccess(): void;
}

/** One user's view of the pool. It holds no connection itself, so it never shows one that is gone. */
export class UserManager implements WebSocketManager {
  readonly userId: UserId;
  readonly #deps: ManagerDeps;

  constructor(userId: UserId, deps: ManagerDeps) {
    this.userId = userId;
    this.#deps = deps;
  }

  connections(): readonly ConnectionInfo[] {
    return this.#deps.members.connectionsOf(this.userId).map((connection) => connection.info());
  }

  disconnect(connectionId: ConnectionId, code: number): boolean {
    const connection = this.#deps.members.find(connectionId)?.connection;
    if (connection === undefined) return false;
    if (connection.userId !== this.userId) {
      this.#deps.foreignAccess();
      throw new PoolError('POOL_NOT_OWNER', 'The connection is not of this user.');
    }
    connection.close(code);
    return true;
  }

  disconnectAll(code: number): number {
    const connections = this.#deps.members.connectionsOf(this.userId);
    for (const connection of connections) connection.close(code);
    return connections.length;
  }

  notify(control: ControlMessage): number {
    const connections = this.#deps.members.connectionsOf(this.userId);
    for (const connection of connections) connection.send(control);
    return connections.length;
  }

  health(): UserHealth {
    const infos = this.connections();
    const sinceMs = this.#deps.clock.nowMs() - this.#deps.healthIntervalMs;
    return {
      connections: infos.length,
      responsive: infos.filter((info) => info.lastInboundAtMs >= sinceMs).length,
      unackedBytes: infos.reduce((sum, info) => sum + info.unackedBytes, 0),
    };
  }
}

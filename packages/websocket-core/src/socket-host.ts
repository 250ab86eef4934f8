import type { IncomingMessage } from 'node:http';
import type { ConnectionId } from '@runwire/id-generation';
import { createDeferred, type Deferred } from '@runwire/kernel';
import { CommandLimits } from './command-limits.js';
import { CommandRunner } from './commands.js';
import { ConnectionShell } from './connection.js';
import type { AcceptedUpgrade, ConnectionHost } from './connection-host.js';
import type {
  ConnectionStateKind,
  PostAnswer,
  PostedMessage,
  Readiness,
  SocketServerDeps,
  SocketServerStats,
  UpgradeAnswer,
} from './contract.js';
import { Counters } from './counters.js';
import type { ResolvedOptions } from './options.js';
import type { Socket } from './socket.js';
import { Timetable } from './timetable.js';
import {
  type Entrance,
  internalAnswer,
  type RefusalReason,
  type UpgradeDecision,
  upgradeRequiredAnswer,
  WEBSOCKET_ENTRANCE,
} from './upgrade.js';

/** A request that passed the checks and holds a place. Exactly one of the two is called. */
export interface PendingUpgrade {
  readonly kind: 'accepted';
  /** Whether the request brought the token, so that the first frame, or the close, comes by itself. */
  readonly hasToken: boolean;
  accept(socket: Socket): void;
  /** It came to nothing. */
  abandon(reason?: RefusalReason): void;
}

const DRAINING: Readiness = Object.freeze({
  ready: false,
  message: 'The server is restarting.',
  retryAfterMs: 5_000,
});

/** Every connection of one server, whatever its transport. */
export class SocketHost implements ConnectionHost {
  readonly deps: SocketServerDeps;
  readonly options: ResolvedOptions;
  readonly counters = new Counters();
  readonly commandLimits: CommandLimits;
  readonly commands = new CommandRunner(this);
  readonly timetable: Timetable;
  readonly #connections = new Map<ConnectionId, ConnectionShell>();
  readonly #empty: Deferred<void> = createDeferred();
  #accepting = true;

  constructor(deps: SocketServerDeps, options: ResolvedOptions) {
    this.deps = deps;
    this.options = options;
    this.commandLimits = new CommandLimits(deps.clock, options.limits.maxCommandsPerMinute);
    this.timetable = new Timetable(deps.clock, deps.logger);
  }

  /** Settles when nothing new is taken and every socket is gone. */
  get empty(): Promise<void> {
    return this.#empty.promise;
  }

  /** Checks a request to connect. What is refused is counted. Never throws. */
  request(
    request: IncomingMessage,
    entrance: Entrance,
  ): PendingUpgrade | Extract<UpgradeDecision, { kind: 'refused' }> {
    try {
      const remoteAddress = this.deps.remoteAddressOf(request);
      const credentials = entrance.credentialsOf(request);
      // Last, because from here on there is a place to give back.
      const decision = this.#decide(request, { entrance, remoteAddress });
      if (decision.kind === 'accepted') {
        const { reservation } = decision;
        const { takesPosts } = entrance;
        return this.#pending({ reservation, remoteAddress, credentials, takesPosts });
      }
      this.counters.refuse(decision.reason);
      return decision;
    } catch (cause) {
      const failed = this.#failed(cause);
      this.counters.refuse(failed.reason);
      return failed;
    }
  }

  /** What a plain request for an upgrade is told. Takes no place. Never throws. */
  probe(request: IncomingMessage): UpgradeAnswer {
    try {
      const remoteAddress = this.deps.remoteAddressOf(request);
      const decision = this.#decide(request, { entrance: WEBSOCKET_ENTRANCE, remoteAddress });
      if (decision.kind === 'refused') return decision.answer;
      decision.reservation.release();
      return upgradeRequiredAnswer();
    } catch (cause) {
      return this.#failed(cause).answer;
    }
  }

  /** Takes a message for an open stream of its sender's. */
  async receive({ connectionId, text, userId }: PostedMessage): Promise<PostAnswer> {
    const connection = this.#find(connectionId);
    return connection?.takesPostsOf(userId) === true ? connection.post(text) : { kind: 'unknown' };
  }

  hasStream(connectionId: string): boolean {
    return this.#find(connectionId)?.takesPosts === true;
  }

  gone({ id }: { readonly id: ConnectionId }): void {
    this.#connections.delete(id);
    this.#settle();
  }

  stopAccepting(): void {
    this.#accepting = false;
    this.#settle();
  }

  closeAll(code: number, reason: string): void {
    for (const connection of this.#connections.values()) connection.close(code, reason);
  }

  stats(): SocketServerStats {
    const connections: Record<Exclude<ConnectionStateKind, 'closed'>, number> = {
      accepting: 0,
      authenticating: 0,
      admitting: 0,
      ready: 0,
      draining: 0,
    };
    let handlers = 0;
    const timers = this.commandLimits.timers + this.timetable.size;
    for (const connection of this.#connections.values()) {
      if (connection.state !== 'closed') connections[connection.state] += 1;
      handlers += connection.handlers;
    }
    const { accepted, closed, refused, rejected, routed } = this.counters;
    const rateLimitedUsers = this.commandLimits.users;
    return { connections, handlers, timers, rateLimitedUsers, accepted, refused, closed, routed, rejected };
  }

  #find(id: string): ConnectionShell | undefined {
    // An id that names nothing finds nothing, whatever its form.
    return this.#connections.get(id as ConnectionId);
  }

  #decide(
    request: IncomingMessage,
    { entrance, remoteAddress }: { readonly entrance: Entrance; readonly remoteAddress: string },
  ): UpgradeDecision {
    return entrance.decide(request, {
      options: this.options,
      readiness: () => (this.#accepting ? this.deps.readiness() : DRAINING),
      reserve: () => this.deps.admission.reserve({ remoteAddress }),
    });
  }

  #pending(upgrade: AcceptedUpgrade): PendingUpgrade {
    return {
      kind: 'accepted',
      hasToken: upgrade.credentials !== undefined,
      accept: (socket) => {
        this.counters.accepted += 1;
        const connection = new ConnectionShell(this, socket, upgrade);
        this.#connections.set(connection.id, connection);
        connection.start();
      },
      abandon: (reason) => {
        upgrade.reservation.release();
        if (reason !== undefined) this.counters.refuse(reason);
      },
    };
  }

  #failed(cause: unknown): Extract<UpgradeDecision, { kind: 'refused' }> {
    const correlationId = this.deps.ids.requestId();
    this.deps.logger.error({ correlationId, err: cause }, 'An upgrade could not be decided');
    return { kind: 'refused', reason: 'internal', answer: internalAnswer(correlationId) };
  }

  #settle(): void {
    if (!this.#accepting && this.#connections.size === 0) this.#empty.resolve();
  }
}

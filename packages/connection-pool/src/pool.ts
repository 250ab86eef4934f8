import type { UserId } from '@runwire/id-generation';
import { createDeferred, type Deferred } from '@runwire/kernel';
import type { RequestContext } from '@runwire/user-context';
import type { ClientConnection, Refusal, Reservation } from '@runwire/websocket-core';
import { AddressBook } from './address-book.js';
import type { ConnectionPool, ConnectionPoolDeps, PoolStats, WebSocketManager } from './contract.js';
import { Draining } from './draining.js';
import { PoolError } from './errors.js';
import { HealthMonitor } from './health-monitor.js';
import { UserManager } from './manager.js';
import { type Member, Members } from './members.js';
import { type ConnectionPoolOptions, type ResolvedPoolOptions, resolveOptions } from './options.js';
import { type Admission, Place, type PlaceOwner } from './place.js';

type RefusedBy = keyof PoolStats['refused'];

/**
 * Creates a pool. It admits from the start; health monitoring begins with `start()`.
 *
 * @throws PoolError `POOL_INVALID_OPTION`
 */
export function createConnectionPool(
  deps: ConnectionPoolDeps,
  options: ConnectionPoolOptions = {},
): ConnectionPool {
  return new Pool(deps, resolveOptions(options));
}

class Pool implements ConnectionPool, PlaceOwner {
  readonly #deps: ConnectionPoolDeps;
  readonly #options: ResolvedPoolOptions;
  readonly #members = new Members();
  readonly #addresses: AddressBook;
  readonly #monitor: HealthMonitor;
  readonly #draining: Draining;
  /** Managers of connected users only: an idle user leaves nothing behind. */
  readonly #managers = new Map<UserId, WebSocketManager>();
  readonly #closed: Deferred<void> = createDeferred();
  readonly #refused: Record<RefusedBy, number> = { address: 0, total: 0, rate: 0, closed: 0 };
  #reservations = 0;
  #admitted = 0;
  #displaced = 0;
  #foreignAccess = 0;
  #reaped = 0;
  #accepting = true;
  #drain: Promise<void> | undefined;
  #close: Promise<void> | undefined;

  constructor(deps: ConnectionPoolDeps, options: ResolvedPoolOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#addresses = new AddressBook(deps.clock, options);
    this.#monitor = new HealthMonitor(deps.clock, options.healthIntervalMs, () => this.#reap());
    this.#draining = new Draining({
      clock: deps.clock,
      members: this.#members,
      perTurn: options.maxDrainedPerTurn,
    });
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  start(): void {
    if (this.#close === undefined) this.#monitor.start();
  }

  reserve({ remoteAddress }: { readonly remoteAddress: string }): Reservation | Refusal {
    const { maxConnections, retryAfterMs } = this.#options;
    if (!this.#accepting) return this.#refuse('closed', retryAfterMs);
    if (this.#reservations >= maxConnections) return this.#refuse('total', retryAfterMs);
    const verdict = this.#addresses.enter(remoteAddress);
    if (verdict.kind === 'refused') return this.#refuse(verdict.reason, verdict.retryAfterMs);
    this.#reservations += 1;
    return new Place(this, remoteAddress);
  }

  released(remoteAddress: string): void {
    this.#reservations -= 1;
    this.#addresses.leave(remoteAddress);
  }

  admit(connection: ClientConnection, { place, replaces }: Admission): void {
    if (!connection.isOpen) return;
    const replaced = this.#ownMember(connection, replaces);
    const member: Member = {
      connection,
      replaces: replaced,
      replacedBy: undefined,
      place,
      stopListening: () => {},
    };
    if (replaced !== undefined) replaced.replacedBy = member;
    this.#displaceOldest(connection.userId);
    this.#members.add(member);
    this.#admitted += 1;
    member.stopListening = connection.onClose(this.#remove.bind(this, member));
    // Its place was taken before the pool began to close; it must not outlive the pool.
    if (this.#close !== undefined) connection.close(1012, 'server restart');
    else this.#draining.noteJoined(connection);
  }

  connectionsOf(userId: UserId): readonly ClientConnection[] {
    return this.#members.connectionsOf(userId);
  }

  managerFor(context: RequestContext): WebSocketManager {
    const userId: unknown = (context as Partial<RequestContext> | undefined)?.userId;
    if (typeof userId !== 'string' || userId === '') {
      throw new PoolError('POOL_INVALID_CONTEXT', 'managerFor(context): expected the context of a user.');
    }
    return this.#manager(context.userId);
  }

  completeReplacement(connection: ClientConnection): void {
    const member = this.#members.find(connection.id);
    if (member?.connection !== connection || member.replaces === undefined) return;
    const replaced = member.replaces;
    member.replaces = undefined;
    replaced.connection.close(1000, 'replaced');
  }

  stats(): PoolStats {
    return {
      connections: this.#members.size,
      users: this.#members.users,
      addresses: this.#addresses.size,
      reservations: this.#reservations,
      managers: this.#managers.size,
      admitted: this.#admitted,
      refused: { ...this.#refused },
      displaced: this.#displaced,
      foreignAccess: this.#foreignAccess,
      reaped: this.#reaped,
      monitoring: this.#monitor.running,
    };
  }

  drain({ timeoutMs = this.#options.drainWindowMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#drain ??= this.#runDrain(timeoutMs);
    return this.#drain;
  }

  close(): Promise<void> {
    // Clients that were asked to leave for a restart are told the same when nobody waits for them any longer.
    this.#close ??= this.#runClose(this.#drain === undefined ? 1001 : 1012);
    return this.#close;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #refuse(reason: RefusedBy, retryAfterMs: number): Refusal {
    this.#refused[reason] += 1;
    return { kind: 'refused', message: REFUSALS[reason], retryAfterMs };
  }

  /** The user's own connection of that id; another's is as good as none, and counted. */
  #ownMember(connection: ClientConnection, id: string | undefined): Member | undefined {
    const member = id === undefined ? undefined : this.#members.find(id);
    if (member === undefined) return undefined;
    if (member.connection.userId !== connection.userId) {
      this.#foreignAccess += 1;
      return undefined;
    }
    // A row of replacements, none of them complete, would hold any number of connections that do not count.
    this.completeReplacement(member.connection);
    if (member.replacedBy !== undefined) member.replacedBy.replaces = undefined;
    return member;
  }

  #displaceOldest(userId: UserId): void {
    if (!this.#members.hasUser(userId)) return;
    const counted = this.#members.ofUser(userId).filter((member) => member.replacedBy === undefined);
    const excess = counted.slice(0, Math.max(0, counted.length + 1 - this.#options.maxConnectionsPerUser));
    for (const { connection } of excess) {
      this.#displaced += 1;
      connection.close(4409, 'too many connections');
    }
  }

  #remove(member: Member): boolean {
    if (!this.#members.remove(member)) return false;
    const { userId } = member.connection;
    if (!this.#members.hasUser(userId)) this.#managers.delete(userId);
    this.#draining.noteLeft();
    return true;
  }

  #manager(userId: UserId): WebSocketManager {
    const known = this.#managers.get(userId);
    if (known !== undefined) return known;
    const manager = new UserManager(userId, {
      members: this.#members,
      clock: this.#deps.clock,
      healthIntervalMs: this.#options.healthIntervalMs,
      foreignAccess: () => {
        this.#foreignAccess += 1;
      },
    });
    if (this.#members.hasUser(userId)) this.#managers.set(userId, manager);
    return manager;
  }

  /** A connection that is over and never said so would count for ever. */
  #reap(): void {
    for (const member of this.#members.all()) {
      if (member.connection.isOpen || !this.#remove(member)) continue;
      member.place.release();
      this.#reaped += 1;
      this.#deps.logger.warn({ connectionId: member.connection.id }, 'A dead connection was removed');
    }
  }

  async #runDrain(timeoutMs: number): Promise<void> {
    this.#accepting = false;
    await this.#draining.ask({ windowMs: this.#options.drainWindowMs, timeoutMs });
    this.#close ??= this.#runClose(1012);
    await this.#close;
  }

  async #runClose(code: 1001 | 1012): Promise<void> {
    this.#accepting = false;
    this.#monitor.stop();
    await this.#draining.closeAll(code, code === 1012 ? 'server restart' : 'server going away');
    this.#addresses.close();
    this.#closed.resolve();
  }
}

const REFUSALS: Readonly<Record<RefusedBy, string>> = Object.freeze({
  address: 'Too many connections from this address.',
  total: 'The server is full.',
  rate: 'Too many connection attempts from this address.',
  closed: 'The server is restarting.',
});

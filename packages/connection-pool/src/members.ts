import type { ConnectionId, UserId } from '@runwire/id-generation';
import type { ClientConnection, Dispose, Reservation } from '@runwire/websocket-core';

/** One admitted connection. */
export interface Member {
  readonly connection: ClientConnection;
  /** The connection that this one takes the place of, until it has caught up. */
  replaces: Member | undefined;
  /** The connection that takes this one's place; while there is one, this does not count. */
  replacedBy: Member | undefined;
  readonly place: Pick<Reservation, 'release'>;
  stopListening: Dispose;
}

const NONE: readonly ClientConnection[] = Object.freeze([]);

/** Every admitted connection, by user and by id. */
export class Members {
  /** In order of admission. Replaced on change: delivery asks far more often than connections come and go. */
  readonly #byUser = new Map<UserId, readonly ClientConnection[]>();
  readonly #byId = new Map<ConnectionId, Member>();

  get size(): number {
    return this.#byId.size;
  }

  get users(): number {
    return this.#byUser.size;
  }

  all(): readonly Member[] {
    return [...this.#byId.values()];
  }

  hasUser(userId: UserId): boolean {
    return this.#byUser.has(userId);
  }

  /** The user's members, in order of admission. */
  ofUser(userId: UserId): readonly Member[] {
    return this.#byUser.get(userId)?.flatMap(({ id }) => this.#byId.get(id) ?? []) ?? [];
  }

  /** The user's open connections, in order of admission. */
  connectionsOf(userId: UserId): readonly ClientConnection[] {
    const connections = this.#byUser.get(userId) ?? NONE;
    // Delivery asks for each event that comes alone.
    for (const { isOpen } of connections) {
      if (!isOpen) return connections.filter((connection) => connection.isOpen);
    }
    return connections;
  }

  find(id: string): Member | undefined {
    // An id that names nothing finds nothing, whatever its form.
    return this.#byId.get(id as ConnectionId);
  }

  add(member: Member): void {
    const { connection } = member;
    const { id, userId } = connection;
    const others = this.#byUser.get(userId);
    // `concat` makes lists of exactly their length; a spread leaves room for sixteen more.
    this.#byUser.set(userId, others === undefined ? [connection] : others.concat(connection));
    this.#byId.set(id, member);
  }

  /** False when it was removed before. Its replacement ends with it: what it replaced counts again. */
  remove(member: Member): boolean {
    const { id, userId } = member.connection;
    if (this.#byId.get(id) !== member) return false;
    this.#byId.delete(id);
    const left = (this.#byUser.get(userId) ?? NONE).filter((connection) => connection.id !== id);
    if (left.length === 0) this.#byUser.delete(userId);
    else this.#byUser.set(userId, left);
    if (member.replaces !== undefined) member.replaces.replacedBy = undefined;
    if (member.replacedBy !== undefined) member.replacedBy.replaces = undefined;
    member.stopListening();
    return true;
  }
}

import type { ConnectionId, UserId } from '@runwire/id-generation';
import type { ClientConnection, Dispose } from '@runwire/websocket-core';

/** One admitted connection. */
export interface Member {
  readonly connection: ClientConnection;
  /** The connection that this one takes the place of, until it has caught up. */
  replaces: Member | undefined;
  /** The connection that takes this one's place; while there is one, this does not count. */
  replacedBy: Member | undefined;
  /** Gives the place back. */
  readonly release: () => void;
  stopListening: Dispose;
}

const NONE: readonly ClientConnection[] = Object.freeze([]);

interface UserMembers {
  /** In order of admission. */
  readonly members: Map<ConnectionId, Member>;
  /** Rebuilt on change: delivery asks far more often than connections come and go. */
  connections: readonly ClientConnection[];
}

/** Every admitted connection, by user and by id. */
export class Members {
  readonly #byUser = new Map<UserId, UserMembers>();
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
    return [...(this.#byUser.get(userId)?.members.values() ?? [])];
  }

  /** The user's open connections, in order of admission. */
  connectionsOf(userId: UserId): readonly ClientConnection[] {
    const connections = this.#byUser.get(userId)?.connections ?? NONE;
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
    const { id, userId } = member.connection;
    const user = this.#byUser.get(userId) ?? { members: new Map<ConnectionId, Member>(), connections: NONE };
    user.members.set(id, member);
    this.#byUser.set(userId, user);
    this.#byId.set(id, member);
    refresh(user);
  }

  /** False when it was removed before. Its replacement ends with it: what it replaced counts again. */
  remove(member: Member): boolean {
    const { id, userId } = member.connection;
    if (this.#byId.get(id) !== member) return false;
    this.#byId.delete(id);
    const user = this.#byUser.get(userId);
    if (user !== undefined) {
      user.members.delete(id);
      refresh(user);
      if (user.members.size === 0) this.#byUser.delete(userId);
    }
    if (member.replaces !== undefined) member.replaces.replacedBy = undefined;
    if (member.replacedBy !== undefined) member.replacedBy.replaces = undefined;
    member.stopListening();
    return true;
  }
}

function refresh(user: UserMembers): void {
  user.connections = Object.freeze([...user.members.values()].map((member) => member.connection));
}

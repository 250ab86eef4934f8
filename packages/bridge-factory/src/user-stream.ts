import type { EncodedBatch, EventLog, Unsubscribe } from '@runwire/event-log';
import type { ConnectionId, UserId } from '@runwire/id-generation';
import type { Connections } from './contract.js';
import type { ConnectionCursor } from './delivery-cursor.js';
import { Wake } from './frames.js';

/** What the streams of connected users are built from. */
export interface UserStreamDeps {
  readonly log: Pick<EventLog, 'subscribe'>;
  readonly connections: Connections;
  readonly maxFrameBytes: number;
}

/** One connected user: one subscription to the log, however many connections. */
export class UserStream {
  readonly #userId: UserId;
  readonly #deps: UserStreamDeps;
  /** Replaced on change: nearly all users have one connection, few have more than three. */
  #cursors: readonly ConnectionCursor[] = [];
  #unsubscribe: Unsubscribe | undefined;

  constructor(userId: UserId, deps: UserStreamDeps) {
    this.#userId = userId;
    this.#deps = deps;
  }

  get cursors(): readonly ConnectionCursor[] {
    return this.#cursors;
  }

  has(connectionId: ConnectionId): boolean {
    return this.#find(connectionId) !== undefined;
  }

  /** Adds a cursor; the first one subscribes, before it looks up its position. */
  add(cursor: ConnectionCursor): void {
    // `concat` makes lists of exactly their length; a spread leaves room for sixteen more.
    this.#cursors = this.#cursors.concat(cursor);
    this.#unsubscribe ??= this.#deps.log.subscribe(this.#userId, this.#wake.bind(this));
  }

  /** Removes a cursor; the last one ends the subscription, and true is returned. */
  remove(cursor: ConnectionCursor): boolean {
    this.#cursors = this.#cursors.filter((other) => other !== cursor);
    if (this.#cursors.length > 0) return false;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    return true;
  }

  #find(connectionId: ConnectionId): ConnectionCursor | undefined {
    return this.#cursors.find((cursor) => cursor.connectionId === connectionId);
  }

  #wake(batch?: EncodedBatch): void {
    const wake = batch === undefined ? undefined : new Wake(batch, this.#deps.maxFrameBytes);
    for (const { id } of this.#deps.connections.connectionsOf(this.#userId)) {
      const cursor = this.#find(id);
      if (cursor !== undefined) this.#wakeOne(cursor, wake);
    }
  }

  /** One connection that fails keeps nothing from the user's others. */
  #wakeOne(cursor: ConnectionCursor, wake: Wake | undefined): void {
    try {
      cursor.wake(wake);
    } catch (cause) {
      cursor.fail(cause);
    }
  }
}

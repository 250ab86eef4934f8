import type { Kysely, Transaction } from 'kysely';
import { PersistenceError } from './errors.js';
import type { Schema } from './schema.js';

/** What runs queries: the database, or one transaction on it. */
export type Queries = Kysely<Schema> | Transaction<Schema>;

/**
 * The database as one request sees it. Opened and closed by the request's scope: used after its end it
 * refuses, so nothing a request leaves behind can touch the database in its name.
 */
export interface DatabaseSession extends AsyncDisposable {
  /** Queries outside a transaction. @throws PersistenceError `SESSION_CLOSED` */
  readonly db: Kysely<Schema>;
  /**
   * Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. Await nothing
   * but the database inside.
   * @throws PersistenceError `SESSION_CLOSED`
   */
  transaction<T>(work: (tx: Transaction<Schema>) => Promise<T>): Promise<T>;
  /** Waits for a transaction under way, then refuses further use. Idempotent. */
  close(): Promise<void>;
}

/** Opens sessions and counts them. */
export interface DatabaseSessions {
  open(): DatabaseSession;
  /** Opens a session for the time of `work`. */
  with<T>(work: (session: DatabaseSession) => Promise<T>): Promise<T>;
  readonly stats: { readonly open: number; readonly opened: number; readonly failed: number };
}

/** Creates the sessions of one database. */
export function createDatabaseSessions(db: Kysely<Schema>): DatabaseSessions {
  const counts = { open: 0, opened: 0, failed: 0 };
  const open = (): DatabaseSession => {
    counts.open += 1;
    counts.opened += 1;
    return new RequestSession(db, counts);
  };
  return {
    open,
    async with(work) {
      await using session = open();
      return await work(session);
    },
    get stats() {
      return { ...counts };
    },
  };
}

class RequestSession implements DatabaseSession {
  readonly #db: Kysely<Schema>;
  readonly #counts: { open: number; failed: number };
  readonly #underWay = new Set<Promise<unknown>>();
  #closed = false;

  constructor(db: Kysely<Schema>, counts: { open: number; failed: number }) {
    this.#db = db;
    this.#counts = counts;
  }

  get db(): Kysely<Schema> {
    this.#refuseWhenClosed();
    return this.#db;
  }

  async transaction<T>(work: (tx: Transaction<Schema>) => Promise<T>): Promise<T> {
    this.#refuseWhenClosed();
    const running = this.#db.transaction().execute(work);
    this.#underWay.add(running);
    try {
      return await running;
    } catch (error) {
      this.#counts.failed += 1;
      throw error;
    } finally {
      this.#underWay.delete(running);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#counts.open -= 1;
    await Promise.allSettled(this.#underWay);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #refuseWhenClosed(): void {
    if (!this.#closed) return;
    throw new PersistenceError(
      'SESSION_CLOSED',
      'The database session was used after its request had ended.',
    );
  }
}

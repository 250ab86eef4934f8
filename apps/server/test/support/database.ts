import type { UserId } from '@runwire/id-generation';
import type { Kysely } from 'kysely';
import { insertAccount } from '../../src/persistence/account-store.js';
import { migrateToLatest } from '../../src/persistence/migrations/index.js';
import type { Schema } from '../../src/persistence/schema.js';
import { createDatabaseSessions, type DatabaseSessions } from '../../src/persistence/session.js';
import { IN_MEMORY, openSqlite } from '../../src/persistence/sqlite.js';

/** A database in memory, at the newest schema. */
export interface TestDatabase extends AsyncDisposable {
  readonly db: Kysely<Schema>;
  readonly sessions: DatabaseSessions;
  readonly addUser: (userId: UserId) => Promise<void>;
}

/** Opens an empty database. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const db = openSqlite(IN_MEMORY);
  await migrateToLatest(db);
  const sessions = createDatabaseSessions(db);
  return {
    db,
    sessions,
    async addUser(id) {
      const account = { id, email: `${id}@example.org`, name: 'Somebody', passwordHash: 'hash', nowMs: 1 };
      await sessions.with((session) => insertAccount(session, account));
    },
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}

import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { migrateToLatest } from '../../src/persistence/migrations/index.js';
import { IN_MEMORY, openSqlite } from '../../src/persistence/sqlite.js';
import { tempDirectory } from '../support/temp-directory.js';

describe('migrations', () => {
  it('run once, and a second time change nothing', async () => {
    const db = openSqlite(IN_MEMORY);
    await expect(migrateToLatest(db)).resolves.toEqual(['0001-initial', '0002-run-positions']);
    const tables = await db.introspection.getTables();
    await expect(migrateToLatest(db)).resolves.toEqual([]);
    await expect(db.introspection.getTables()).resolves.toEqual(tables);
    await db.destroy();
  });

  it('[TH-1] keep what an earlier process stored', async () => {
    await using directory = await tempDirectory();
    const file = join(directory.path, 'deep', 'er', 'runwire.db');
    const user = { id: 'u', email: 'u@example.org', name: 'U', password_hash: 'h', created_at_ms: 1 };
    const first = openSqlite(file);
    await migrateToLatest(first);
    await first.insertInto('users').values(user).execute();
    await first.destroy();

    const second = openSqlite(file);
    await expect(migrateToLatest(second)).resolves.toEqual([]);
    await expect(second.selectFrom('users').selectAll().execute()).resolves.toEqual([user]);
    await second.destroy();
  });

  it('hold the database to one open run a thread', async () => {
    const db = openSqlite(IN_MEMORY);
    await migrateToLatest(db);
    const user = { id: 'u', email: 'u@example.org', name: 'U', password_hash: 'h', created_at_ms: 1 };
    await db.insertInto('users').values(user).execute();
    const times = { created_at_ms: 1, updated_at_ms: 1, deleting_at_ms: null };
    await db
      .insertInto('threads')
      .values({ id: 't', user_id: 'u', title: '', ...times })
      .execute();
    const insert = (id: string, status: 'running' | 'completed') =>
      db
        .insertInto('runs')
        .values({
          id,
          status,
          thread_id: 't',
          user_id: 'u',
          agent: 'a',
          message_id: 'm',
          answer_id: 'n',
          attempt: 1,
          error: null,
          accepted_at_ms: 1,
          started_at_ms: null,
          ended_at_ms: null,
        })
        .execute();
    await insert('one', 'running');
    await insert('two', 'completed');
    await expect(insert('three', 'running')).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_UNIQUE' });
    await db.destroy();
  });
});

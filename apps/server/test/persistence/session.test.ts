import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import { openTestDatabase } from '../support/database.js';

const user = (id: string) => ({
  id,
  email: `${id}@example.org`,
  name: id,
  password_hash: 'hash',
  created_at_ms: 1,
});

describe('a database session', () => {
  it('[TH-2] is open from its opening to its end, and is counted', async () => {
    await using database = await openTestDatabase();
    const { sessions } = database;
    const session = sessions.open();
    expect(sessions.stats).toEqual({ open: 1, opened: 1, failed: 0 });
    await session.close();
    await session.close();
    expect(sessions.stats).toEqual({ open: 0, opened: 1, failed: 0 });
  });

  it('[TH-2] is closed when its work fails, and passes the failure on', async () => {
    await using database = await openTestDatabase();
    const { sessions } = database;
    await expect(sessions.with(() => Promise.reject(new Error('the work failed')))).rejects.toThrow(
      'the work failed',
    );
    expect(sessions.stats.open).toBe(0);
  });

  it('[TH-2] rolls a transaction back when its work fails, and counts it', async () => {
    await using database = await openTestDatabase();
    const { db, sessions } = database;
    const work = sessions.with((session) =>
      session.transaction(async (tx) => {
        await tx.insertInto('users').values(user('one')).execute();
        throw new Error('changed my mind');
      }),
    );
    await expect(work).rejects.toThrow('changed my mind');
    await expect(db.selectFrom('users').selectAll().execute()).resolves.toEqual([]);
    expect(sessions.stats).toEqual({ open: 0, opened: 1, failed: 1 });
  });

  it('[TH-2] refuses to be used after its end, and says so', async () => {
    await using database = await openTestDatabase();
    const session = database.sessions.open();
    await session.close();
    expect(() => session.db).toThrow(expect.objectContaining({ code: 'SESSION_CLOSED' }));
    await expect(session.transaction(async () => 'done')).rejects.toMatchObject({ code: 'SESSION_CLOSED' });
  });

  it('waits with its end for a transaction under way, which commits', async () => {
    await using database = await openTestDatabase();
    const { db, sessions } = database;
    const session = sessions.open();
    const inside = createDeferred();
    const held = createDeferred();
    const working = session.transaction(async (tx) => {
      inside.resolve();
      await held.promise;
      await tx.insertInto('users').values(user('one')).execute();
    });
    await inside.promise;
    let closed = false;
    const closing = session.close().then(() => {
      closed = true;
    });
    await Promise.resolve();
    expect(closed).toBe(false);
    held.resolve();
    await Promise.all([working, closing]);
    await expect(db.selectFrom('users').select('id').execute()).resolves.toEqual([{ id: 'one' }]);
  });
});

import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { openSqlite } from '../../src/persistence/sqlite.js';
import { tempDirectory } from '../support/temp-directory.js';

const NORMAL = 1;
const FULL = 2;

describe('the embedded database', () => {
  it.each([
    [undefined, NORMAL],
    [false, NORMAL],
    [true, FULL],
  ])('with syncsEachCommit %s has synchronous %d', async (syncsEachCommit, synchronous) => {
    await using directory = await tempDirectory();
    const options = syncsEachCommit === undefined ? {} : { syncsEachCommit };
    const db = openSqlite(join(directory.path, 'runwire.db'), options);
    const { rows } = await sql<{ synchronous: number }>`PRAGMA synchronous`.execute(db);
    expect(rows).toEqual([{ synchronous }]);
    await db.destroy();
  });
});

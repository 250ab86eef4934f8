import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Kysely as Database, SqliteDatabase } from 'kysely';
import LibsqlDatabase from 'libsql';
import { Kysely, SqliteDialect } from './kysely.js';
import type { Schema } from './schema.js';

/** The file name of a database that lives in memory. */
export const IN_MEMORY = ':memory:';

/** How an embedded database is opened. */
export interface SqliteOptions {
  /** Whether a commit survives the death of the machine too; then each waits for the disk. @defaultValue false */
  readonly syncsEachCommit?: boolean;
}

/**
 * Opens the embedded database: one file, created with its folder when missing. The only module that knows
 * libsql. Its one connection means that whatever is awaited inside a transaction stops every other request:
 * inside a transaction nothing but the database is awaited.
 */
export function openSqlite(file: string, options: SqliteOptions = {}): Database<Schema> {
  if (file !== IN_MEMORY) mkdirSync(dirname(file), { recursive: true });
  const database = new LibsqlDatabase(file);
  database.pragma('journal_mode = WAL');
  // A commit survives the death of the process; of the machine only with FULL, at a sync for each commit.
  database.pragma(options.syncsEachCommit === true ? 'synchronous = FULL' : 'synchronous = NORMAL');
  database.pragma('foreign_keys = ON');
  database.pragma('busy_timeout = 5000');
  return new Kysely<Schema>({
    dialect: new SqliteDialect({ database: database as unknown as SqliteDatabase }),
  });
}

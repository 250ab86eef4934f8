import { accessSync, constants, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Logger } from '@runwire/kernel';
import type { Kysely } from 'kysely';
import type { ServerConfig } from '../config/environment.js';
import { migrateToLatest } from '../persistence/migrations/index.js';
import type { Schema } from '../persistence/schema.js';
import { createDatabaseSessions, type DatabaseSessions } from '../persistence/session.js';
import { openSqlite } from '../persistence/sqlite.js';

/** The opened database. */
export interface Database {
  readonly db: Kysely<Schema>;
  readonly sessions: DatabaseSessions;
}

/** Opens the embedded database in the data folder and brings it to the newest schema. */
export async function openDatabase(config: ServerConfig, logger: Logger): Promise<Database> {
  const directory = resolve(config.dataDirectory);
  requireWritable(directory);
  const file = join(directory, 'runwire.db');
  const db = openSqlite(file);
  try {
    const migrations = await migrateToLatest(db);
    logger.debug({ file, migrations }, 'database open');
  } catch (cause) {
    await db.destroy();
    throw cause;
  }
  return { db, sessions: createDatabaseSessions(db) };
}

function requireWritable(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
    throw new Error(
      `the data folder ${directory} cannot be written (${reason}): make it writable or set RUNWIRE_DATA_DIR to a folder that is`,
      { cause },
    );
  }
}

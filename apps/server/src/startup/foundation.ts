import { accessSync, constants, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { lockDirectory } from '@runwire/event-log-file';
import { isCodedError, type Logger } from '@runwire/kernel';
import type { Kysely } from 'kysely';
import type { ServerConfig } from '../config/environment.js';
import { migrateToLatest } from '../persistence/migrations/index.js';
import type { Schema } from '../persistence/schema.js';
import { createDatabaseSessions, type DatabaseSessions } from '../persistence/session.js';
import { openSqlite, type SqliteOptions } from '../persistence/sqlite.js';

/** The opened database. */
export interface Database {
  readonly sessions: DatabaseSessions;
  /** Closes the database, then gives the folder back. */
  close(): Promise<void>;
}

/** Takes the data folder, opens the embedded database in it, and brings that to the newest schema. */
export async function openDatabase(config: ServerConfig, logger: Logger): Promise<Database> {
  const directory = resolve(config.dataDirectory);
  requireWritable(directory);
  const release = await lockDataDirectory(directory);
  try {
    // What the log keeps, SQL has decided before: it must not be the first to forget.
    const syncsEachCommit = config.log.kind === 'file' && config.log.fsync === 'always';
    const db = await openMigrated(join(directory, 'runwire.db'), { syncsEachCommit }, logger);
    return {
      sessions: createDatabaseSessions(db),
      async close() {
        await db.destroy();
        await release();
      },
    };
  } catch (cause) {
    await release();
    throw cause;
  }
}

/** So that no second process repairs what the first is doing. */
async function lockDataDirectory(directory: string): Promise<() => Promise<void>> {
  try {
    return await lockDirectory(directory);
  } catch (cause) {
    if (!isCodedError(cause, 'LOG_IN_USE')) throw cause;
    throw new Error(
      `the data folder ${directory} is in use by another server: stop it, or set RUNWIRE_DATA_DIR to a folder of its own`,
      { cause },
    );
  }
}

async function openMigrated(file: string, options: SqliteOptions, logger: Logger): Promise<Kysely<Schema>> {
  const db = openSqlite(file, options);
  try {
    const migrations = await migrateToLatest(db);
    logger.debug({ file, migrations }, 'database open');
    return db;
  } catch (cause) {
    await db.destroy();
    throw cause;
  }
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

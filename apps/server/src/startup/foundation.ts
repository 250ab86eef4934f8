import { accessSync, constants, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Logger } from '@runwire/kernel';
import type { Kysely } from 'kysely';
import type { ServerConfig } from '../config/environment.js';
import { migrateToLatest } from '../persistence/migrations/index.js';
import type { Schema } from '../persistence/schema.js';
import { createDatabaseSessions, type DatabaseSessions } from '../persistence/session.js';
import { openSqlite } from '../persistence/sqlite.js';
import { lockDataDirectory } from './data-lock.js';

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
  const lock = await lockDataDirectory(directory);
  try {
    const db = await openMigrated(join(directory, 'runwire.db'), logger);
    return {
      sessions: createDatabaseSessions(db),
      async close() {
        await db.destroy();
        await lock.release();
      },
    };
  } catch (cause) {
    await lock.release();
    throw cause;
  }
}

async function openMigrated(file: string, logger: Logger): Promise<Kysely<Schema>> {
  const db = openSqlite(file);
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

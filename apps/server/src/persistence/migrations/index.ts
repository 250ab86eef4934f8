import type { Kysely, Migration } from 'kysely';
import { Migrator } from '../kysely.js';
import type { Schema } from '../schema.js';
import { initial } from './0001-initial.js';
import { runPositions } from './0002-run-positions.js';

const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-initial': initial,
  '0002-run-positions': runPositions,
};

/** Brings a database to the newest schema; settles to the names of the migrations it ran. */
export async function migrateToLatest(db: Kysely<Schema>): Promise<readonly string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  return results.map((result) => result.migrationName);
}

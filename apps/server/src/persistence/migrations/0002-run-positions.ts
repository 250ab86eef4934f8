import type { Kysely, Migration } from 'kysely';

/** Where a run's events are in its user's stream, so that nobody has to look for them. */
export const runPositions: Migration = {
  async up(db: Kysely<unknown>) {
    // One statement each: SQLite adds one column at a time.
    await db.schema.alterTable('runs').addColumn('log_epoch', 'varchar(64)').execute();
    await db.schema.alterTable('runs').addColumn('first_seq', 'bigint').execute();
    await db.schema.alterTable('runs').addColumn('last_seq', 'bigint').execute();
  },
};

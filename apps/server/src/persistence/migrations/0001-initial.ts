import type { Kysely, Migration } from 'kysely';
import { sql } from '../kysely.js';

/** Everything the first version stores. */
export const initial: Migration = {
  async up(db: Kysely<unknown>) {
    await createUsers(db);
    await createThreads(db);
    await createCommands(db);
  },
};

async function createUsers(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('users')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('email', 'varchar(320)', (c) => c.notNull().unique())
    .addColumn('name', 'varchar(200)', (c) => c.notNull())
    .addColumn('password_hash', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('auth_sessions')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('user_id', 'varchar(64)', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('expires_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('revoked_at_ms', 'bigint')
    .execute();
  await db.schema
    .createTable('refresh_tokens')
    .addColumn('hash', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('session_id', 'varchar(64)', (c) =>
      c.notNull().references('auth_sessions.id').onDelete('cascade'),
    )
    .addColumn('issued_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('rotated_at_ms', 'bigint')
    .execute();
  await db.schema.createIndex('auth_sessions_expiry').on('auth_sessions').column('expires_at_ms').execute();
  await db.schema.createIndex('auth_sessions_user').on('auth_sessions').column('user_id').execute();
  await db.schema.createIndex('refresh_tokens_session').on('refresh_tokens').column('session_id').execute();
}

async function createThreads(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('threads')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('user_id', 'varchar(64)', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addColumn('title', 'varchar(200)', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('deleting_at_ms', 'bigint')
    .execute();
  await db.schema
    .createTable('messages')
    .addColumn('position', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('id', 'varchar(64)', (c) => c.notNull().unique())
    .addColumn('thread_id', 'varchar(64)', (c) => c.notNull().references('threads.id').onDelete('cascade'))
    .addColumn('user_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('run_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('role', 'varchar(16)', (c) => c.notNull())
    .addColumn('parts', 'text', (c) => c.notNull())
    .addColumn('metadata', 'text')
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('runs')
    .addColumn('id', 'varchar(64)', (c) => c.primaryKey())
    .addColumn('thread_id', 'varchar(64)', (c) => c.notNull().references('threads.id').onDelete('cascade'))
    .addColumn('user_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('agent', 'varchar(64)', (c) => c.notNull())
    .addColumn('message_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('answer_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('attempt', 'integer', (c) => c.notNull())
    .addColumn('status', 'varchar(16)', (c) => c.notNull())
    .addColumn('error', 'text')
    .addColumn('accepted_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('started_at_ms', 'bigint')
    .addColumn('ended_at_ms', 'bigint')
    .execute();
  await db.schema.createIndex('threads_user').on('threads').columns(['user_id', 'updated_at_ms']).execute();
  await db.schema.createIndex('messages_thread').on('messages').columns(['thread_id', 'position']).execute();
  // At most one open run a thread, whatever the number of processes: the database decides who is first.
  await db.schema
    .createIndex('runs_open_thread')
    .on('runs')
    .column('thread_id')
    .unique()
    .where(sql.ref('status'), 'in', sql`('accepted', 'running')`)
    .execute();
}

async function createCommands(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('commands')
    .addColumn('user_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('command_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('body_hash', 'varchar(64)', (c) => c.notNull())
    .addColumn('reply', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('commands_key', ['user_id', 'command_id'])
    .execute();
  await db.schema
    .createTable('outbox')
    .addColumn('position', 'integer', (c) => c.primaryKey().autoIncrement())
    .addColumn('user_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('producer_id', 'varchar(128)', (c) => c.notNull())
    .addColumn('attempt', 'integer', (c) => c.notNull())
    .addColumn('n', 'integer', (c) => c.notNull())
    .addColumn('drafts', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('outbox_key', ['user_id', 'producer_id', 'attempt', 'n'])
    .execute();
  await db.schema
    .createTable('large_values')
    .addColumn('run_id', 'varchar(64)', (c) => c.notNull().references('runs.id').onDelete('cascade'))
    .addColumn('tool_call_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('user_id', 'varchar(64)', (c) => c.notNull())
    .addColumn('content', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('large_values_key', ['run_id', 'tool_call_id'])
    .execute();
  await db.schema.createIndex('commands_age').on('commands').column('created_at_ms').execute();
}

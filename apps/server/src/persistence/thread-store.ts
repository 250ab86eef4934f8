import type { HistoryMessage, OutboxEntry, RunRecord, ThreadStore } from '@runwire/agent-handler';
import type { MessageId, RunId, ThreadId, UserId } from '@runwire/id-generation';
import {
  type AnswerPart,
  answerText,
  contentText,
  type EventError,
  type MessagePart,
  type RunStatus,
} from '@runwire/protocol';
import type { Selectable } from 'kysely';
import { runRecord } from './rows.js';
import { insertOutbox } from './run-rows.js';
import type { Schema } from './schema.js';
import type { DatabaseSession, DatabaseSessions } from './session.js';

/** A thread, as the API shows it. */
export interface ThreadSummary {
  readonly id: ThreadId;
  readonly title: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** A stored message: what the user wrote, or a whole answer. */
export type StoredMessage =
  | {
      readonly id: MessageId;
      readonly role: 'user';
      readonly runId: RunId;
      readonly createdAtMs: number;
      readonly parts: readonly MessagePart[];
    }
  | {
      readonly id: MessageId;
      readonly role: 'assistant';
      readonly runId: RunId;
      readonly createdAtMs: number;
      readonly parts: readonly AnswerPart[];
      readonly run: {
        readonly agent: string;
        readonly status: RunStatus;
        readonly error?: EventError;
        readonly durationMs: number;
      };
    };

/** A page of a list, newest first or oldest first as the list says. */
export interface Page<T> {
  readonly items: readonly T[];
  /** What to pass as `before` for the next page; null on the last one. */
  readonly before: string | null;
}

/** Which page of a list. */
export interface PageRequest {
  readonly limit: number;
  readonly before?: string | undefined;
}

/** The history port of the agents, in SQL. */
export function createSqlThreadStore(deps: { sessions: DatabaseSessions }): ThreadStore {
  return {
    history: (userId, threadId, { before, limit }) =>
      deps.sessions.with(async ({ db }) => {
        let query = db
          .selectFrom('messages')
          .select(['id', 'role', 'parts'])
          .where('thread_id', '=', threadId)
          .where('user_id', '=', userId)
          .orderBy('position', 'desc')
          .limit(limit);
        if (before !== undefined) {
          query = query.where('position', '<', (eb) =>
            eb.selectFrom('messages').select('position').where('id', '=', before),
          );
        }
        const rows = await query.execute();
        return rows.reverse().map(historyMessage);
      }),
  };
}

function historyMessage(row: Pick<Selectable<Schema['messages']>, 'id' | 'role' | 'parts'>): HistoryMessage {
  const messageId = row.id as MessageId;
  if (row.role === 'user') {
    return { messageId, role: 'user', text: contentText(JSON.parse(row.parts) as MessagePart[]) };
  }
  return { messageId, role: 'assistant', text: answerText(JSON.parse(row.parts) as AnswerPart[]) };
}

/** One of the user's threads. */
export async function findThread(
  session: DatabaseSession,
  userId: UserId,
  threadId: string,
): Promise<ThreadSummary | undefined> {
  const row = await session.db
    .selectFrom('threads')
    .selectAll()
    .where('id', '=', threadId)
    .where('user_id', '=', userId)
    .where('deleting_at_ms', 'is', null)
    .executeTakeFirst();
  return row === undefined ? undefined : threadSummary(row);
}

/** The user's threads, the last used first. */
export async function listThreads(
  session: DatabaseSession,
  userId: UserId,
  page: PageRequest,
): Promise<Page<ThreadSummary>> {
  let query = session.db
    .selectFrom('threads')
    .selectAll()
    .where('user_id', '=', userId)
    .where('deleting_at_ms', 'is', null)
    .orderBy('updated_at_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit + 1);
  const [beforeMs, beforeId] = page.before?.split('.') ?? [];
  if (beforeMs !== undefined && beforeId !== undefined) {
    const ms = Number(beforeMs);
    query = query.where((eb) =>
      eb.or([eb('updated_at_ms', '<', ms), eb.and([eb('updated_at_ms', '=', ms), eb('id', '<', beforeId)])]),
    );
  }
  const rows = await query.execute();
  const items = rows.slice(0, page.limit).map(threadSummary);
  const last = items.at(-1);
  const more = rows.length > page.limit && last !== undefined;
  return { items, before: more ? `${last.updatedAtMs}.${last.id}` : null };
}

/** The newest messages of a thread (before one of them), oldest first. */
export async function listMessages(
  session: DatabaseSession,
  threadId: ThreadId,
  page: PageRequest,
): Promise<Page<StoredMessage>> {
  let query = session.db
    .selectFrom('messages')
    .innerJoin('runs', 'runs.id', 'messages.run_id')
    .selectAll('messages')
    .select([
      'runs.agent',
      'runs.status',
      'runs.error',
      'runs.started_at_ms',
      'runs.accepted_at_ms',
      'runs.ended_at_ms',
    ])
    .where('messages.thread_id', '=', threadId)
    .orderBy('position', 'desc')
    .limit(page.limit + 1);
  const { before } = page;
  if (before !== undefined) {
    query = query.where('position', '<', (eb) =>
      eb.selectFrom('messages as b').select('b.position').where('b.id', '=', before),
    );
  }
  const rows = await query.execute();
  const items = rows.slice(0, page.limit).reverse().map(storedMessage);
  return { items, before: rows.length > page.limit ? (items[0]?.id ?? null) : null };
}

type MessageRow = Selectable<Schema['messages']> &
  Pick<
    Selectable<Schema['runs']>,
    'agent' | 'status' | 'error' | 'started_at_ms' | 'accepted_at_ms' | 'ended_at_ms'
  >;

function storedMessage(row: MessageRow): StoredMessage {
  const base = {
    id: row.id as MessageId,
    runId: row.run_id as RunId,
    createdAtMs: Number(row.created_at_ms),
  };
  if (row.role === 'user') return { ...base, role: 'user', parts: JSON.parse(row.parts) as MessagePart[] };
  const begunAtMs = Number(row.started_at_ms ?? row.accepted_at_ms);
  return {
    ...base,
    role: 'assistant',
    parts: JSON.parse(row.parts) as AnswerPart[],
    run: {
      agent: row.agent,
      status: row.status,
      ...(row.error === null ? {} : { error: JSON.parse(row.error) as EventError }),
      durationMs: Math.max(0, Number(row.ended_at_ms ?? begunAtMs) - begunAtMs),
    },
  };
}

/** The open runs of a thread. */
export async function openRunsOf(
  session: DatabaseSession,
  threadId: ThreadId,
): Promise<readonly RunRecord[]> {
  const rows = await session.db
    .selectFrom('runs')
    .selectAll()
    .where('thread_id', '=', threadId)
    .where('status', 'in', ['accepted', 'running'])
    .execute();
  return rows.map(runRecord);
}

/** Writes a new thread together with the event that tells of it. */
export async function insertThread(
  session: DatabaseSession,
  userId: UserId,
  thread: ThreadSummary,
  outbox: OutboxEntry,
): Promise<void> {
  await session.transaction(async (tx) => {
    await tx
      .insertInto('threads')
      .values({
        id: thread.id,
        user_id: userId,
        title: thread.title,
        created_at_ms: thread.createdAtMs,
        updated_at_ms: thread.updatedAtMs,
        deleting_at_ms: null,
      })
      .execute();
    await insertOutbox(tx, outbox, thread.createdAtMs);
  });
}

/** Renames a thread, together with the event that tells of it. False when there is none. */
export async function renameThread(
  session: DatabaseSession,
  renamed: { userId: UserId; threadId: ThreadId; title: string; nowMs: number },
  outbox: OutboxEntry,
): Promise<boolean> {
  return await session.transaction(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('threads')
      .set({ title: renamed.title, updated_at_ms: renamed.nowMs })
      .where('id', '=', renamed.threadId)
      .where('user_id', '=', renamed.userId)
      .where('deleting_at_ms', 'is', null)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    await insertOutbox(tx, outbox, renamed.nowMs);
    return true;
  });
}

function threadSummary(row: Selectable<Schema['threads']>): ThreadSummary {
  return {
    id: row.id as ThreadId,
    title: row.title,
    createdAtMs: Number(row.created_at_ms),
    updatedAtMs: Number(row.updated_at_ms),
  };
}

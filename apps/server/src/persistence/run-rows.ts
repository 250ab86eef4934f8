import type { AcceptMessage, OutboxEntry, RetriedRun, RetryRun } from '@runwire/agent-handler';
import type { RunId, ThreadId, UserId } from '@runwire/id-generation';
import type { EventDraft, MessagePart } from '@runwire/protocol';
import { runRecord } from './rows.js';
import type { Queries } from './session.js';

/** Whether the thread exists and is the user's: foreign is the same as missing. */
export async function ownsThread(db: Queries, userId: UserId, threadId: ThreadId): Promise<boolean> {
  const row = await db
    .selectFrom('threads')
    .select('id')
    .where('id', '=', threadId)
    .where('user_id', '=', userId)
    .where('deleting_at_ms', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

/** The thread's open run, if there is one. */
export async function openRunOf(db: Queries, threadId: ThreadId): Promise<RunId | undefined> {
  const row = await db
    .selectFrom('runs')
    .select('id')
    .where('thread_id', '=', threadId)
    .where('status', 'in', ['accepted', 'running'])
    .executeTakeFirst();
  return row?.id as RunId | undefined;
}

/** Writes thread (when new), message and run; returns the events that say so. */
export async function insertUserMessage(tx: Queries, request: AcceptMessage): Promise<readonly EventDraft[]> {
  const { userId, runId, messageId, nowMs } = request;
  const { threadId } = request.thread;
  if (request.thread.kind === 'new') {
    await tx
      .insertInto('threads')
      .values({
        id: threadId,
        user_id: userId,
        title: request.title,
        created_at_ms: nowMs,
        updated_at_ms: nowMs,
        deleting_at_ms: null,
      })
      .execute();
  } else {
    await tx.updateTable('threads').set({ updated_at_ms: nowMs }).where('id', '=', threadId).execute();
  }
  await tx
    .insertInto('messages')
    .values({
      id: messageId,
      thread_id: threadId,
      user_id: userId,
      run_id: runId,
      role: 'user',
      parts: JSON.stringify(request.parts),
      metadata: request.metadata === undefined ? null : JSON.stringify(request.metadata),
      created_at_ms: nowMs,
    })
    .execute();
  await tx
    .insertInto('runs')
    .values({
      id: runId,
      thread_id: threadId,
      user_id: userId,
      agent: request.agent,
      message_id: messageId,
      answer_id: request.answerId,
      attempt: 1,
      status: 'accepted',
      error: null,
      accepted_at_ms: nowMs,
      started_at_ms: null,
      ended_at_ms: null,
    })
    .execute();
  return messageDrafts(request);
}

function messageDrafts(request: AcceptMessage): readonly EventDraft[] {
  const { threadId, kind } = request.thread;
  const commandId = request.command?.id;
  const added: EventDraft<'message_added'> = {
    type: 'message_added',
    threadId,
    runId: request.runId,
    data: {
      messageId: request.messageId,
      role: 'user',
      parts: [...request.parts],
      ...(commandId === undefined ? {} : { commandId }),
    },
  };
  if (kind === 'existing') return [added];
  return [{ type: 'thread_created', threadId, data: { title: request.title } }, added];
}

/** Opens the next attempt of a run, or finds the one that never started; undefined when there is none to have. */
export async function reopenRun(tx: Queries, retry: RetryRun): Promise<RetriedRun | undefined> {
  const { userId, runId, attempt, answerId } = retry;
  const open = await tx
    .selectFrom('runs')
    .innerJoin('threads', 'threads.id', 'runs.thread_id')
    .innerJoin('messages', 'messages.id', 'runs.message_id')
    .selectAll('runs')
    .select('messages.parts')
    .where('runs.id', '=', runId)
    .where('runs.user_id', '=', userId)
    .where('attempt', '=', attempt)
    .where('status', 'in', ['accepted', 'running'])
    .where('threads.deleting_at_ms', 'is', null)
    .executeTakeFirst();
  if (open === undefined) return undefined;
  const { parts: text, ...row } = open;
  const parts = JSON.parse(text) as readonly MessagePart[];
  if (row.status === 'accepted') return { run: runRecord(row), parts };
  const next = {
    attempt: attempt + 1,
    answer_id: answerId,
    status: 'accepted',
    started_at_ms: null,
  } as const;
  const { numUpdatedRows } = await tx
    .updateTable('runs')
    .set(next)
    .where('id', '=', runId)
    .where('attempt', '=', attempt)
    .where('status', '=', 'running')
    .executeTakeFirst();
  // On another node somebody was first.
  return numUpdatedRows === 1n ? { run: runRecord({ ...row, ...next }), parts } : undefined;
}

/** Keeps drafts until the log has them. The same under the same key twice is once, as in the log. */
export async function insertOutbox(tx: Queries, entry: OutboxEntry, nowMs: number): Promise<void> {
  await tx
    .insertInto('outbox')
    .values({
      user_id: entry.userId,
      producer_id: entry.producer.id,
      attempt: entry.producer.attempt,
      n: entry.producer.n,
      drafts: JSON.stringify(entry.drafts),
      created_at_ms: nowMs,
    })
    .onConflict((conflict) => conflict.columns(['user_id', 'producer_id', 'attempt', 'n']).doNothing())
    .execute();
}

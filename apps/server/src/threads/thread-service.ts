import type { OutboxEntry, RunSupervisor } from '@runwire/agent-handler';
import type { EventLog } from '@runwire/event-log';
import { type IdGenerator, isId, type ThreadId, type UserId } from '@runwire/id-generation';
import type { Clock, Logger } from '@runwire/kernel';
import type { EventDraft } from '@runwire/protocol';
import type { RequestContext } from '@runwire/user-context';
import type { DatabaseSession, DatabaseSessions } from '../persistence/session.js';
import {
  beginThreadDeletion,
  emptyThread,
  forgetThread,
  unfinishedDeletions,
} from '../persistence/thread-deletion.js';
import { insertThread, openRunsOf, renameThread, type ThreadSummary } from '../persistence/thread-store.js';
import type { OutboxSender } from './outbox-sender.js';

/** Creates, renames and deletes threads, each together with the event that tells the user's other tabs. */
export interface ThreadService {
  create(session: DatabaseSession, context: RequestContext, title: string): Promise<ThreadSummary>;
  /** False when the user has no such thread. */
  rename(
    session: DatabaseSession,
    context: RequestContext,
    threadId: string,
    title: string,
  ): Promise<boolean>;
  /**
   * Stops the thread's runs, removes its rows, tells of it and erases its events. False when the user has no
   * such thread. Once begun it goes on, whether the caller is there or not; what a crash or a failing log
   * leaves undone is finished by `resumeDeletions`.
   */
  remove(session: DatabaseSession, context: RequestContext, threadId: string): Promise<boolean>;
  /** Finishes deletions that an earlier process began; settles to their number. */
  resumeDeletions(): Promise<number>;
}

/** What the service is built from. */
export interface ThreadServiceDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ids: Pick<IdGenerator, 'threadId'>;
  readonly sessions: DatabaseSessions;
  readonly outbox: OutboxSender;
  readonly log: Pick<EventLog, 'erase'>;
  readonly supervisor: Pick<RunSupervisor, 'stopThread'>;
}

/** The title of a thread that was given none. */
export const UNTITLED = 'New chat';

/** Creates the service. */
export function createThreadService(deps: ThreadServiceDeps): ThreadService {
  const { clock, ids, sessions, outbox } = deps;

  return {
    async create(session, context, title) {
      const nowMs = clock.nowMs();
      const thread = { id: ids.threadId(), title, createdAtMs: nowMs, updatedAtMs: nowMs };
      const draft: EventDraft = { type: 'thread_created', threadId: thread.id, data: { title } };
      const entry = outboxEntry(context.userId, `cmd:${context.requestId}`, draft);
      await insertThread(session, context.userId, thread, entry);
      await outbox.send(entry);
      return thread;
    },
    async rename(session, context, threadId, title) {
      if (!isId('thread', threadId)) return false;
      const { userId } = context;
      const entry = outboxEntry(userId, `cmd:${context.requestId}`, {
        type: 'thread_updated',
        threadId,
        data: { title },
      });
      const renamed = { userId, threadId, title, nowMs: clock.nowMs() };
      if (!(await renameThread(session, renamed, entry))) return false;
      await outbox.send(entry);
      return true;
    },
    async remove(session, context, threadId) {
      if (!isId('thread', threadId)) return false;
      const { userId } = context;
      if (!(await beginThreadDeletion(session, userId, threadId, clock.nowMs()))) return false;
      await finishDeletion(deps, userId, threadId);
      return true;
    },
    async resumeDeletions() {
      const begun = await sessions.with((session) => unfinishedDeletions(session));
      for (const { userId, threadId } of begun) await finishDeletion(deps, userId, threadId);
      return begun.length;
    },
  };
}

/** In sessions of its own: the request that began it may be over. Each step may be done again. */
async function finishDeletion(deps: ThreadServiceDeps, userId: UserId, threadId: ThreadId): Promise<void> {
  const { clock, logger, sessions, outbox, log } = deps;
  await endRuns(deps, userId, threadId);
  // One key a thread: a deletion that is finished later tells of itself once.
  const entry = outboxEntry(userId, `cmd:${threadId}`, { type: 'thread_deleted', threadId, data: {} });
  await sessions.with((session) => emptyThread(session, threadId, entry, clock.nowMs()));
  await outbox.send(entry);
  try {
    await log.erase(userId, { threadId });
    await sessions.with((session) => forgetThread(session, threadId));
  } catch (err) {
    logger.error(
      { err, userId, threadId },
      'a deleted thread is not erased from the log before the next start',
    );
  }
}

/**
 * Ends every run of the thread that SQL knows, a run included that was accepted just before the deletion
 * began and is about to start. From there on none is accepted, so this comes to an end.
 */
async function endRuns(deps: ThreadServiceDeps, userId: UserId, threadId: ThreadId): Promise<void> {
  const { clock, sessions, supervisor } = deps;
  const deadlineAtMs = clock.monotonicMs() + END_RUNS_TIMEOUT_MS;
  for (;;) {
    await supervisor.stopThread(userId, threadId);
    const open = await sessions.with((session) => openRunsOf(session, threadId));
    // What is left then was started by nobody: recovery's, or of a store that does not answer.
    if (open.length === 0 || clock.monotonicMs() >= deadlineAtMs) return;
    await new Promise<void>((resolve) => clock.setTimer(END_RUNS_POLL_MS, resolve));
  }
}

/** Above the time in which a stopped run ends. */
const END_RUNS_TIMEOUT_MS = 5_000;
const END_RUNS_POLL_MS = 10;

function outboxEntry(userId: UserId, producerId: string, draft: EventDraft): OutboxEntry {
  return { userId, producer: { id: producerId, attempt: 1, n: 1 }, drafts: [draft] };
}

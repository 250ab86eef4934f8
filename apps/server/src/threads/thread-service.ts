import type { OutboxEntry, RunSupervisor } from '@runwire/agent-handler';
import type { EventLog } from '@runwire/event-log';
import { type IdGenerator, isId, type RequestId, type ThreadId, type UserId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import type { EventDraft } from '@runwire/protocol';
import type { RequestContext } from '@runwire/user-context';
import type { DatabaseSession, DatabaseSessions } from '../persistence/session.js';
import {
  beginThreadDeletion,
  deleteThread,
  insertThread,
  renameThread,
  type ThreadSummary,
  unfinishedDeletions,
} from '../persistence/thread-store.js';
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
   * such thread. A crash on the way is finished by `resumeDeletions`.
   */
  remove(session: DatabaseSession, context: RequestContext, threadId: string): Promise<boolean>;
  /** Finishes deletions that an earlier process began; settles to their number. */
  resumeDeletions(): Promise<number>;
}

/** What the service is built from. */
export interface ThreadServiceDeps {
  readonly clock: Clock;
  readonly ids: IdGenerator;
  readonly sessions: DatabaseSessions;
  readonly outbox: OutboxSender;
  readonly log: Pick<EventLog, 'erase'>;
  readonly supervisor: Pick<RunSupervisor, 'stopThread'>;
}

/** The title of a thread that was given none. */
export const UNTITLED = 'New chat';

/** Creates the service. */
export function createThreadService(deps: ThreadServiceDeps): ThreadService {
  const { clock, ids, sessions, outbox, log, supervisor } = deps;

  const finishDeletion = async (
    session: DatabaseSession,
    userId: UserId,
    threadId: ThreadId,
  ): Promise<void> => {
    await supervisor.stopThread(userId, threadId);
    const entry = outboxEntry(userId, ids.requestId(), { type: 'thread_deleted', threadId, data: {} });
    await deleteThread(session, threadId, entry, clock.nowMs());
    await outbox.send(entry);
    await log.erase(userId, { threadId });
  };

  return {
    async create(session, context, title) {
      const nowMs = clock.nowMs();
      const thread = { id: ids.threadId(), title, createdAtMs: nowMs, updatedAtMs: nowMs };
      const draft: EventDraft = { type: 'thread_created', threadId: thread.id, data: { title } };
      const entry = outboxEntry(context.userId, context.requestId, draft);
      await insertThread(session, context.userId, thread, entry);
      await outbox.send(entry);
      return thread;
    },
    async rename(session, context, threadId, title) {
      if (!isId('thread', threadId)) return false;
      const { userId } = context;
      const entry = outboxEntry(userId, context.requestId, {
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
      await finishDeletion(session, userId, threadId);
      return true;
    },
    resumeDeletions: () =>
      sessions.with(async (session) => {
        const begun = await unfinishedDeletions(session);
        for (const { userId, threadId } of begun) await finishDeletion(session, userId, threadId);
        return begun.length;
      }),
  };
}

function outboxEntry(userId: UserId, requestId: RequestId, draft: EventDraft): OutboxEntry {
  return { userId, producer: { id: `cmd:${requestId}`, attempt: 1, n: 1 }, drafts: [draft] };
}

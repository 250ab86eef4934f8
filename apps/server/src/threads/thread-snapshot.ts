import type { RunRecord } from '@runwire/agent-handler';
import type { EventLog } from '@runwire/event-log';
import type { UserId } from '@runwire/id-generation';
import { applyRunEvent, type Cursor, type RunView } from '@runwire/protocol';
import type { DatabaseSession } from '../persistence/session.js';
import {
  findThread,
  listMessages,
  openRunsOf,
  type Page,
  type PageRequest,
  type StoredMessage,
  type ThreadSummary,
} from '../persistence/thread-store.js';
import { runEvents } from './run-events.js';

/** A thread as a page shows it: its rows, and its open runs folded from the log up to exactly `cursor`. */
export interface ThreadSnapshot {
  readonly thread: ThreadSummary;
  readonly messages: Page<StoredMessage>;
  /** The open runs with the parts so far of their answers and their open tool calls. */
  readonly runs: readonly RunView[];
  /** Apply the thread's events with a higher `seq` to this snapshot (protocol §6). */
  readonly cursor: Cursor;
}

/**
 * Reads a thread's snapshot: the head first, then the rows, then the fold. Rows may already show what events
 * above the cursor repeat; never the other way round. Undefined when the user has no such thread.
 *
 * Where runs begin in the log is asked before the rows: a run that SQL still shows open is not yet over there.
 */
export async function readThreadSnapshot(
  deps: { readonly session: DatabaseSession; readonly log: EventLog },
  userId: UserId,
  threadId: string,
  page: PageRequest,
): Promise<ThreadSnapshot | undefined> {
  const { session, log } = deps;
  const stream = await log.stream(userId);
  const begun = new Map((await log.openRuns(userId)).map(({ runId, firstSeq }) => [runId, firstSeq]));
  const thread = await findThread(session, userId, threadId);
  if (thread === undefined) return undefined;
  const open = await openRunsOf(session, thread.id);
  const messages = await listMessages(session, thread.id, page);
  const views = await Promise.all(
    open.map((run) =>
      foldRun(log, run, { epoch: stream.epoch, from: begun.get(run.runId), until: stream.head }),
    ),
  );
  const { epoch, head: seq, headId } = stream;
  return {
    thread,
    messages,
    runs: views.filter((view) => view !== undefined),
    cursor: headId === null ? { epoch, seq } : { epoch, seq, id: headId },
  };
}

/** Folds what the log has of a run, from `from` up to and with `until`. Undefined before its first event. */
async function foldRun(
  log: EventLog,
  run: RunRecord,
  range: { readonly epoch: string; readonly from: number | undefined; readonly until: number },
): Promise<RunView | undefined> {
  if (range.from === undefined) return undefined;
  let view: RunView | undefined;
  const after = { epoch: range.epoch, seq: range.from - 1 };
  for await (const { event } of runEvents(log, run, { after, until: range.until }))
    view = applyRunEvent(view, event);
  return view;
}

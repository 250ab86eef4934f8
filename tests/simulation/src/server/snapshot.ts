import type { RunRecord } from '@runwire/agent-handler';
import type { EventLog } from '@runwire/event-log';
import type { RunId, UserId } from '@runwire/id-generation';
import {
  applyRunEvent,
  type Cursor,
  LIMITS,
  type RunStatus,
  type RunView,
  type RunwireEvent,
} from '@runwire/protocol';
import type { DatabaseSession } from './database.js';

/** Runs as their rows and the log show them, up to exactly `cursor`. */
export interface Snapshot {
  readonly cursor: Cursor;
  readonly runs: readonly RunView[];
}

/** What a snapshot is read from. */
export interface SnapshotDeps {
  readonly database: DatabaseSession;
  readonly log: EventLog;
  /** The user's runs that SQL knows at the time of the call, of one thread or of all. */
  readonly runIds: () => readonly RunId[];
}

/**
 * Reads a snapshot as `apps/server` does: the head first, then where runs begin in the log, then the rows, then the
 * fold of those still open. So rows may show what events above the cursor repeat, never the other way round.
 */
export async function readSnapshot(deps: SnapshotDeps, userId: UserId): Promise<Snapshot> {
  const { database, log } = deps;
  const { epoch, head, headId } = await log.stream(userId);
  const begun = new Map((await log.openRuns(userId)).map(({ runId, firstSeq }) => [runId, firstSeq]));
  const runs: RunView[] = [];
  for (const runId of deps.runIds()) {
    const record = await database.runs.findRun(userId, runId);
    if (record === undefined) continue;
    const from = begun.get(runId);
    if (record.endedAtMs !== undefined) runs.push(await viewOfRow(database, record));
    else if (from !== undefined) {
      const view = await fold(log, record, { epoch, from, until: head });
      if (view !== undefined) runs.push(view);
    }
  }
  return { runs, cursor: headId === null ? { epoch, seq: head } : { epoch, seq: head, id: headId } };
}

async function viewOfRow(database: DatabaseSession, record: RunRecord): Promise<RunView> {
  const { userId, runId, threadId, agent, answerId, attempt, status, startedAtMs, acceptedAtMs } = record;
  const history = await database.threads.history(userId, threadId, { limit: 1_000 });
  const text = history.find(({ messageId }) => messageId === answerId)?.text ?? '';
  return {
    runId,
    threadId,
    agent,
    messageId: answerId,
    attempt,
    status: endOf(status),
    parts: text === '' ? [] : [{ type: 'text', part: 0, text }],
    startedAtMs: startedAtMs ?? acceptedAtMs,
  };
}

function endOf(status: RunStatus): RunView['status'] {
  return status === 'accepted' ? 'running' : status;
}

async function fold(
  log: EventLog,
  { userId, runId }: RunRecord,
  range: { readonly epoch: string; readonly from: number; readonly until: number },
): Promise<RunView | undefined> {
  let view: RunView | undefined;
  let after: Cursor = { epoch: range.epoch, seq: range.from - 1 };
  while (after.seq < range.until) {
    const page = await log.read(userId, {
      after,
      limitEvents: LIMITS.maxPageEvents,
      limitBytes: LIMITS.maxPageBytes,
    });
    if (page.kind === 'reset' || page.events.length === 0) break;
    for (const event of page.events) {
      if (event.seq > range.until) return view;
      if (event.runId === runId) view = applyRunEvent(view, JSON.parse(event.json) as RunwireEvent);
    }
    after = page.at;
  }
  return view;
}

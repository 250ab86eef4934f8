import type { RunId, UserId } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import { TERMINAL_EVENT_TYPE } from '@runwire/protocol';
import type { Appended, AppendObserver } from '../delivery/observed-log.js';
import type { DatabaseSession, DatabaseSessions, Queries } from './session.js';

/** Where a run's events are in its user's stream. */
export interface RunPosition {
  /** The log that they are in. */
  readonly epoch: string;
  /** Of the run's message, which comes before everything else of it; undefined when that was not recorded. */
  readonly firstSeq: number | undefined;
  /** Of its end; undefined while it is open. */
  readonly lastSeq: number | undefined;
}

/**
 * Records where runs begin and end. An append that begins or ends a run settles behind the record, and only then
 * is its entry in the outbox done: a crash in between repeats both. A record that fails costs a later reader a
 * search through the stream, and nothing else.
 */
export function createRunPositions(deps: {
  readonly sessions: DatabaseSessions;
  readonly logger: Logger;
}): AppendObserver {
  const { sessions, logger } = deps;
  return (appended) => {
    const found = positionsIn(appended);
    if (found.length === 0) return undefined;
    return sessions
      .with(async ({ db }) => {
        for (const position of found) await record(db, appended.result.epoch, position);
      })
      .catch((err: unknown) => logger.warn({ err }, 'the position of a run was not recorded'));
  };
}

/** The recorded position of one of the user's runs. */
export async function findRunPosition(
  session: DatabaseSession,
  userId: UserId,
  runId: RunId,
): Promise<RunPosition | undefined> {
  const row = await session.db
    .selectFrom('runs')
    .select(['log_epoch', 'first_seq', 'last_seq'])
    .where('id', '=', runId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  if (row === undefined || row.log_epoch === null) return undefined;
  return {
    epoch: row.log_epoch,
    firstSeq: row.first_seq === null ? undefined : Number(row.first_seq),
    lastSeq: row.last_seq === null ? undefined : Number(row.last_seq),
  };
}

interface FoundPosition {
  readonly runId: string;
  readonly column: 'first_seq' | 'last_seq';
  readonly seq: number;
}

function positionsIn({ drafts, result }: Appended): readonly FoundPosition[] {
  return drafts.flatMap(({ type, runId }, index): readonly FoundPosition[] => {
    if (runId === undefined) return [];
    const seq = result.firstSeq + index;
    if (type === 'message_added') return [{ runId, column: 'first_seq', seq }];
    return type === TERMINAL_EVENT_TYPE ? [{ runId, column: 'last_seq', seq }] : [];
  });
}

async function record(db: Queries, epoch: string, { runId, column, seq }: FoundPosition): Promise<void> {
  // Of a run that began in a log that is lost, only its end is in this one.
  await db
    .updateTable('runs')
    .set({ first_seq: null, last_seq: null })
    .where('id', '=', runId)
    .where('log_epoch', '!=', epoch)
    .execute();
  await db
    .updateTable('runs')
    .set({ log_epoch: epoch, [column]: seq })
    .where('id', '=', runId)
    .execute();
}

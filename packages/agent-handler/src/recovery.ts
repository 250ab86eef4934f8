import type { EventLog, OpenRun } from '@runwire/event-log';
import type { RunId } from '@runwire/id-generation';
import type { Clock, Logger } from '@runwire/kernel';
import { type AnswerPart, applyRunEvent, LIMITS, type RunView, type RunwireEvent } from '@runwire/protocol';
import type { Recovery, RecoveryReport, RunRecord, RunStore } from './contract.js';
import { FAILURES } from './errors.js';
import { createOutbox } from './outbox.js';
import { directTerminal, endedParts } from './run-terminal.js';

/** What recovery is built from. */
export interface RecoveryDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runs: Pick<RunStore, 'pendingOutbox' | 'markAppended' | 'openRuns' | 'finishRun'>;
}

/** Creates the recovery of a process. It must have the store and the log to itself: every open run is a dead one. */
export function createRecovery(deps: RecoveryDeps): Recovery {
  return Object.freeze({ recover: ({ log }: { readonly log: EventLog }) => recover(deps, log) });
}

async function recover(deps: RecoveryDeps, log: EventLog): Promise<RecoveryReport> {
  const { clock, logger, runs } = deps;
  const append: Parameters<typeof createOutbox>[0]['append'] = (userId, drafts, producer) =>
    log.append(userId, drafts, { producer });
  const outbox = createOutbox({ clock, logger, runs, append });
  const runsInterrupted = await interruptRuns(deps, log);
  // In the order of the commits: a message's events come before its run's end.
  const { appended } = await outbox.repeat();
  return { draftsAppended: appended, runsInterrupted };
}

async function interruptRuns({ clock, logger, runs }: RecoveryDeps, log: EventLog): Promise<number> {
  const open = await runs.openRuns();
  const logged = new Map<RunId, OpenRun>((await log.openRuns()).map((run) => [run.runId, run]));
  let interrupted = 0;
  for (const run of open) {
    const known = logged.get(run.runId);
    const parts = known === undefined ? [] : await foldParts(log, run, known);
    const nowMs = clock.nowMs();
    const { userId, runId, threadId, agent, answerId, attempt } = run;
    const durationMs = Math.max(0, nowMs - (run.startedAtMs ?? run.acceptedAtMs));
    const status = 'interrupted';
    const data = { agent, messageId: answerId, status, error: FAILURES.interrupted, durationMs } as const;
    const terminal = directTerminal({ threadId, runId, attempt, data });
    const isEnded = await runs.finishRun({ userId, runId, attempt, status, parts, terminal, nowMs });
    if (isEnded) interrupted += 1;
    logger.info({ userId, runId, isEnded }, 'A run of an earlier process ends interrupted.');
  }
  return interrupted;
}

/** What the log has of the answer of a run. */
async function foldParts(log: EventLog, run: RunRecord, known: OpenRun): Promise<readonly AnswerPart[]> {
  const stream = await log.stream(run.userId);
  let after: { readonly epoch: string; readonly seq: number } = {
    epoch: stream.epoch,
    seq: known.firstSeq - 1,
  };
  let view: RunView | undefined;
  while (after.seq < stream.head) {
    const page = await log.read(run.userId, {
      after,
      limitEvents: LIMITS.maxPageEvents,
      limitBytes: LIMITS.maxPageBytes,
    });
    if (page.kind === 'reset' || page.events.length === 0) break;
    for (const event of page.events) {
      if (event.runId === run.runId) view = applyRunEvent(view, JSON.parse(event.json) as RunwireEvent);
    }
    after = page.at;
  }
  return endedParts(view?.parts ?? []);
}

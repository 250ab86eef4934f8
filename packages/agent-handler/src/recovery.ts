import type { EventLog, OpenRun } from '@runwire/event-log';
import type { IdGenerator, RunId } from '@runwire/id-generation';
import type { Clock, Logger } from '@runwire/kernel';
import type { EventData, RunStatus, RunView } from '@runwire/protocol';
import type { AgentRegistry, Recovery, RecoveryReport, RetriedRun, RunRecord, RunStore } from './contract.js';
import { FAILURES } from './errors.js';
import { foldRun } from './fold-run.js';
import { type AgentRuntimeOptions, type ResolvedAgentRuntimeOptions, resolveOptions } from './options.js';
import { createOutbox } from './outbox.js';
import { mayRetry } from './retry.js';
import { directTerminal, endedParts } from './run-terminal.js';

/** What recovery is built from. */
export interface RecoveryDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ids: Pick<IdGenerator, 'messageId'>;
  readonly agents: Pick<AgentRegistry, 'has' | 'get'>;
  readonly runs: Pick<
    RunStore,
    'pendingOutbox' | 'markAppended' | 'openRuns' | 'findRun' | 'finishRun' | 'retryRun'
  >;
}

/** Creates the recovery of a process. It must have the store and the log to itself: every open run is a dead one. */
export function createRecovery(deps: RecoveryDeps, options?: AgentRuntimeOptions): Recovery {
  const resolved = resolveOptions(options);
  return Object.freeze({
    recover: ({ log }: { readonly log: EventLog }) => new RunRecovery(deps, resolved, log).recover(),
  });
}

class RunRecovery {
  readonly #deps: RecoveryDeps;
  readonly #options: ResolvedAgentRuntimeOptions;
  readonly #log: EventLog;

  constructor(deps: RecoveryDeps, options: ResolvedAgentRuntimeOptions, log: EventLog) {
    this.#deps = deps;
    this.#options = options;
    this.#log = log;
  }

  async recover(): Promise<RecoveryReport> {
    const { clock, logger, runs } = this.#deps;
    const log = this.#log;
    const logged = new Map<RunId, OpenRun>((await log.openRuns()).map((run) => [run.runId, run]));
    const retries: RetriedRun[] = [];
    let runsInterrupted = 0;
    const open = await runs.openRuns();
    for (const run of open) {
      const retried = await this.#retry(run);
      if (retried !== undefined) retries.push(retried);
      else if (await this.#interrupt(run, logged.get(run.runId))) runsInterrupted += 1;
    }
    // In the order of the commits: a message's events come before its run's end.
    const append: Parameters<typeof createOutbox>[0]['append'] = (userId, drafts, producer) =>
      log.append(userId, drafts, { producer });
    const { appended, failed } = await createOutbox({ clock, logger, runs, append }).repeat();
    const known = new Set(open.map(({ runId }) => runId));
    const runsUnknown = failed > 0 ? 0 : await this.#endUnknown(known);
    return { draftsAppended: appended, draftsWaiting: failed, runsInterrupted, runsUnknown, retries };
  }

  /**
   * Ends, in the log alone, the runs that are open there and not in SQL: a power loss, or an old copy of the
   * database, took what SQL had decided. With drafts that wait, their ends may be among those.
   */
  async #endUnknown(known: ReadonlySet<RunId>): Promise<number> {
    let ended = 0;
    for (const run of await this.#log.openRuns()) {
      if (known.has(run.runId)) continue;
      const { userId, runId } = run;
      try {
        if (!(await this.#endInLog(run))) continue;
        ended += 1;
        this.#deps.logger.warn({ userId, runId }, 'A run that is over in SQL was ended in the log.');
      } catch (err) {
        this.#deps.logger.error({ userId, runId, err }, 'A run that SQL does not know is open in the log.');
      }
    }
    return ended;
  }

  /** False when its start cannot be read any more: nobody sees it. */
  async #endInLog(run: OpenRun): Promise<boolean> {
    const view = await foldRun(this.#log, run, run);
    if (view === undefined) return false;
    const { userId, runId, threadId, attempt } = run;
    const { agent, messageId, startedAtMs } = view;
    const durationMs = Math.max(0, this.#deps.clock.nowMs() - startedAtMs);
    const row = await this.#deps.runs.findRun(userId, runId);
    const data = { agent, messageId, ...endOf(row?.status), durationMs };
    const { terminal } = directTerminal({ threadId, runId, attempt, data, isBegun: true });
    await this.#log.append(userId, [terminal.draft], { producer: terminal.producer });
    return true;
  }

  async #retry(run: RunRecord): Promise<RetriedRun | undefined> {
    const { logger, ids, agents, runs } = this.#deps;
    if (!mayRetry(run, { agents, options: this.#options })) return undefined;
    const { userId, runId, attempt } = run;
    const retried = await runs.retryRun({ userId, runId, attempt, answerId: ids.messageId() });
    if (retried === undefined) return undefined;
    logger.info({ userId, runId, attempt: retried.run.attempt }, 'A run of an earlier process begins again.');
    return retried;
  }

  /** A disk that does not give the events takes the text, and does not keep the server from starting. */
  async #fold(run: RunRecord, known: OpenRun): Promise<RunView | undefined> {
    const { userId, runId } = run;
    try {
      return await foldRun(this.#log, run, known);
    } catch (err) {
      this.#deps.logger.error({ userId, runId, err }, 'What a run has said cannot be read; it ends without.');
      return undefined;
    }
  }

  async #interrupt(run: RunRecord, known: OpenRun | undefined): Promise<boolean> {
    const { clock, logger, runs } = this.#deps;
    const view = known === undefined ? undefined : await this.#fold(run, known);
    const nowMs = clock.nowMs();
    const { userId, runId, threadId, agent, answerId, attempt } = run;
    const durationMs = Math.max(0, nowMs - (run.startedAtMs ?? run.acceptedAtMs));
    const status = 'interrupted';
    const data = { agent, messageId: answerId, status, error: FAILURES.interrupted, durationMs } as const;
    const isEnded = await runs.finishRun({
      userId,
      runId,
      attempt,
      status,
      // What an earlier attempt has said is not this one's answer.
      parts: view?.attempt === attempt ? endedParts(view.parts) : [],
      ...directTerminal({ threadId, runId, attempt, data, isBegun: (view?.attempt ?? attempt) === attempt }),
      nowMs,
    });
    logger.info({ userId, runId, isEnded }, 'A run of an earlier process ends interrupted.');
    return isEnded;
  }
}

/** How a run ended that SQL has ended, as far as its row tells; one without a row was cut off. */
function endOf(status: RunStatus | undefined): Pick<EventData<'agent_completed'>, 'status' | 'error'> {
  switch (status) {
    case 'completed':
    case 'cancelled':
      return { status };
    case 'failed':
      return { status, error: FAILURES.agentFailed };
    case 'timed_out':
      return { status, error: FAILURES.runTimeout };
    case 'accepted':
    case 'running':
    case 'interrupted':
    case undefined:
      return { status: 'interrupted', error: FAILURES.interrupted };
  }
}

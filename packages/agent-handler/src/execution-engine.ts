import type { UserEmitter } from '@runwire/bridge-factory';
import type { Clock, Logger } from '@runwire/kernel';
import { contentText, type EventData, type RunEndStatus } from '@runwire/protocol';
import { runWithContext, type Scope } from '@runwire/user-context';
import { createAgentOutput } from './agent-output.js';
import type { ExecutionEngine, Outbox, RunStore, StopReason, ThreadStore } from './contract.js';
import type { AgentDefinition, AgentResult, RunLimits } from './definitions.js';
import { appendFailure, FAILURES, withReference } from './errors.js';
import type { ResolvedAgentRuntimeOptions } from './options.js';
import type { RunEnding } from './run-ending.js';
import type { RunEvents } from './run-events.js';
import { directTerminal, type EndingRun, type RunTerminal } from './run-terminal.js';
import type { ToolDispatcher } from './tool-dispatcher.js';
import { concludeRun, type RunConclusion } from './verdict.js';
import { settledWithin } from './waiting.js';
import { startWatchdog } from './watchdog.js';

/** The parts of one run, each made for it alone. */
export interface EngineParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly threads: ThreadStore;
  readonly runs: Pick<RunStore, 'startRun' | 'markAppended'>;
  readonly outbox: Pick<Outbox, 'repeatSoon'>;
  readonly run: EndingRun;
  readonly agent: AgentDefinition;
  readonly limits: RunLimits;
  readonly options: Pick<ResolvedAgentRuntimeOptions, 'maxHistoryMessages'>;
  readonly scope: Scope;
  readonly emitter: UserEmitter;
  readonly ending: RunEnding;
  readonly events: RunEvents;
  readonly tools: ToolDispatcher;
  readonly terminal: RunTerminal;
}

/** Of the stop time the agent gets this much to return; the rest is for the end to be stored and appended. */
const AGENT_SHARE_OF_STOP = 0.75;

/** What the user is told while the agent has not yet said anything. */
const FIRST_THOUGHT = 'Reading your message.';

/**
 * Executes one attempt of one run:
 *
 *     startRun → agent_started → agent_thinking → history → agent.run → verdict
 *       → signal aborted → agent returns or is left → tools completed → agent_completed (SQL, then log) → scope
 *
 * Whatever happens on the first line only decides the verdict; the second line is walked once.
 */
export class RunEngine implements ExecutionEngine {
  readonly #parts: EngineParts;
  #startedAtMs: number;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#startedAtMs = parts.clock.monotonicMs();
  }

  stop(reason: StopReason): void {
    const { ending } = this.#parts;
    if (reason === 'abandoned') ending.decide({ kind: 'abandoned' });
    else ending.decide({ kind: 'stopped', status: reason });
  }

  async run(): Promise<RunEndStatus | undefined> {
    const { clock, ending, emitter, limits, scope } = this.#parts;
    this.#startedAtMs = clock.monotonicMs();
    const watchdog = startWatchdog(clock, {
      limits,
      lastEmitAtMs: () => emitter.lastEmitAtMs,
      expired: (limit) => ending.decide({ kind: 'timedOut', limit }),
    });
    try {
      const work = this.#work();
      await ending.decided;
      return await this.#end(work);
    } finally {
      watchdog.stop();
      await scope.dispose();
    }
  }

  /** Never rejects: whatever happens is a verdict. */
  async #work(): Promise<void> {
    const { ending } = this.#parts;
    let begin: () => Promise<AgentResult | undefined>;
    try {
      begin = await this.#prepare();
    } catch (cause) {
      ending.decide({ kind: 'failed', failure: FAILURES.notPrepared, cause });
      return;
    }
    if (ending.verdict !== undefined) return;
    try {
      ending.decide({ kind: 'returned', result: await begin() });
    } catch (cause) {
      ending.decide({ kind: 'failed', failure: FAILURES.agentFailed, cause });
    }
  }

  async #prepare(): Promise<() => Promise<AgentResult | undefined>> {
    const { clock, runs, threads, run, agent, ending, events, tools, options } = this.#parts;
    const { context, input } = run;
    // An attempt that is over before it starts is not used up.
    if (ending.verdict === undefined && !(await runs.startRun(context.runId, input.attempt))) {
      ending.decide({ kind: 'takenOver' });
    }
    if (ending.verdict !== undefined) throw ending.signal.reason;
    await events.started();
    await events.thinking(FIRST_THOUGHT);
    const history = await ending.guard(
      threads.history(context.userId, context.threadId, {
        before: input.messageId,
        limit: options.maxHistoryMessages,
      }),
    );
    const task = Object.freeze({
      input: contentText(input.parts),
      parts: input.parts,
      history,
      emit: createAgentOutput(events, clock),
      tools: Object.freeze({ call: tools.call.bind(tools), names: tools.names }),
      signal: ending.signal,
      context,
      attempt: input.attempt,
    });
    return () => runWithContext(context, () => agent.run(task));
  }

  async #end(work: Promise<void>): Promise<RunEndStatus | undefined> {
    const { clock, logger, ending, events, tools, limits } = this.#parts;
    const agentTimeoutMs = limits.stopTimeoutMs * AGENT_SHARE_OF_STOP;
    const cancelled = tools.cancel();
    if (!(await settledWithin(clock, agentTimeoutMs, Promise.all([work, cancelled])))) {
      logger.warn({}, 'The agent, or an emit of its, did not end in time and is left behind.');
    }
    const verdict = await ending.decided;
    if (verdict.kind === 'takenOver') return undefined;
    if (verdict.kind === 'abandoned') {
      logger.info({}, 'A run is left for its next attempt.');
      return undefined;
    }
    if (verdict.kind === 'failed') logger.error({ err: verdict.cause }, 'A run fails.');
    return await this.#terminate(concludeRun(verdict, events.text));
  }

  /** The emitter ends the run: SQL first, then the log. Without it the outbox does. */
  async #terminate(conclusion: RunConclusion): Promise<RunEndStatus | undefined> {
    const { logger, emitter, events, outbox, terminal } = this.#parts;
    try {
      void events.started().catch(() => undefined);
      await emitter.agentCompleted(this.#completed(conclusion), (draft) =>
        terminal.commit(draft, { parts: events.parts, result: conclusion.result }),
      );
    } catch (cause) {
      if (terminal.state.kind === 'open') return await this.#terminateDirectly(conclusion, cause);
      if (terminal.state.kind !== 'committed') {
        logger.warn({ err: cause }, 'The run was not ended here.');
        return undefined;
      }
      logger.error({ err: cause }, 'The end of a run is stored and not yet in the log.');
      outbox.repeatSoon();
      return terminal.state.status;
    }
    return await this.#settle();
  }

  async #terminateDirectly(conclusion: RunConclusion, cause: unknown): Promise<RunEndStatus | undefined> {
    const { logger, emitter, events, outbox, run, terminal } = this.#parts;
    logger.error({ err: cause }, 'A run ends without its emitter.');
    // What was emitted and not appended is dropped; an append under way would be fenced or be first.
    await emitter[Symbol.asyncDispose]();
    const { threadId, runId } = run.context;
    const { attempt } = run.input;
    const shown =
      conclusion.status === 'completed'
        ? ({ status: 'failed', error: appendFailure(cause, FAILURES.notDelivered) } as const)
        : conclusion;
    const data = this.#completed(shown);
    const end = directTerminal({ threadId, runId, attempt, data, isBegun: events.isBegun });
    try {
      await terminal.commit(end.terminal, { ...end, parts: events.parts, result: undefined });
      outbox.repeatSoon();
    } catch (error) {
      logger.error({ err: error }, 'A run ends without an end.');
    }
    return terminal.state.kind === 'committed' ? terminal.state.status : undefined;
  }

  /** The log has the terminal event: the outbox may forget it. */
  async #settle(): Promise<RunEndStatus | undefined> {
    const { logger, runs, run, terminal, outbox } = this.#parts;
    const { state } = terminal;
    if (state.kind !== 'committed') return undefined;
    try {
      await runs.markAppended(run.context.userId, state.terminal.producer);
    } catch (cause) {
      logger.warn({ err: cause }, 'The outbox keeps an event that the log has.');
      outbox.repeatSoon();
    }
    return state.status;
  }

  #completed(conclusion: RunConclusion): EventData<'agent_completed'> {
    const { clock, run } = this.#parts;
    const { agent, answerId } = run.input;
    const { error, ...rest } = conclusion;
    const durationMs = Math.round(clock.monotonicMs() - this.#startedAtMs);
    const shown = error === undefined ? {} : { error: withReference(error, run.context.requestId) };
    return { agent, messageId: answerId, ...rest, ...shown, durationMs };
  }
}

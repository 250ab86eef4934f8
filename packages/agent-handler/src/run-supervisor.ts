import type { RunId, ThreadId, UserId } from '@runwire/id-generation';
import { createDeferred, type Deferred } from '@runwire/kernel';
import { createErrorBody, type ErrorBody, LIMITS, type RunEndStatus } from '@runwire/protocol';
import { createRequestContext } from '@runwire/user-context';
import type {
  AcceptedRun,
  AgentRuntimeDeps,
  ExecutionEngine,
  ExecutionEngineFactory,
  Outbox,
  RecoveryReport,
  RetriedRun,
  RunPlace,
  RunSupervisor,
  StopReason,
  SupervisorStats,
} from './contract.js';
import { createExecutionEngineFactory } from './engine-factory.js';
import { appendFailure, FAILURES, withReference } from './errors.js';
import { type AgentRuntimeOptions, type ResolvedAgentRuntimeOptions, resolveOptions } from './options.js';
import { createOutbox } from './outbox.js';
import { mayRetry } from './retry.js';
import { directTerminal, RunTerminal } from './run-terminal.js';
import { settledWithin } from './waiting.js';

/** Creates the supervisor of a process. It owns the runs it has started, and the retries of the outbox. */
export function createRunSupervisor(deps: AgentRuntimeDeps, options?: AgentRuntimeOptions): RunSupervisor {
  const resolved = resolveOptions(options);
  const { clock, logger, runs, emitters } = deps;
  const append: Parameters<typeof createOutbox>[0]['append'] = (userId, drafts, producer) =>
    emitters.appendForUser(userId, drafts, producer);
  return new Supervisor(deps, resolved, createOutbox({ clock, logger, runs, append }, resolved));
}

interface ActiveRun {
  readonly run: AcceptedRun;
  readonly ended: Deferred<RunEndStatus | undefined>;
  engine: ExecutionEngine | undefined;
  /** Asked for before the engine was there. */
  stop: StopReason | undefined;
}

class Supervisor implements RunSupervisor {
  readonly #deps: AgentRuntimeDeps;
  readonly #options: ResolvedAgentRuntimeOptions;
  readonly #outbox: Outbox;
  readonly #engines: ExecutionEngineFactory;
  readonly #active = new Map<RunId, ActiveRun>();
  /** Places per user, of runs and of those to come. */
  readonly #held = new Map<UserId, number>();
  readonly #ended = { completed: 0, failed: 0, cancelled: 0, timed_out: 0, interrupted: 0 };
  readonly #closing = new AbortController();
  readonly #closed = createDeferred();
  #places = 0;
  #isDraining = false;
  #idle: Deferred<void> | undefined;

  constructor(deps: AgentRuntimeDeps, options: ResolvedAgentRuntimeOptions, outbox: Outbox) {
    this.#deps = deps;
    this.#options = options;
    this.#outbox = outbox;
    const closing = this.#closing.signal;
    this.#engines = createExecutionEngineFactory({ ...deps, outbox, closing }, options);
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  reserve(userId: UserId): RunPlace | { readonly refused: ErrorBody } {
    if (this.#isDraining) return { refused: createErrorBody('NOT_READY') };
    if (this.#outbox.isWaiting(userId)) return { refused: notStored(this.#options) };
    const { maxRuns, maxRunsPerUser } = this.#options;
    const held = this.#held.get(userId) ?? 0;
    if (held >= maxRunsPerUser || this.#places >= maxRuns) return { refused: createErrorBody('RUN_LIMIT') };
    this.#hold(userId);
    let isFree = true;
    const take = (): boolean => {
      const wasFree = isFree;
      isFree = false;
      return wasFree;
    };
    return Object.freeze({
      start: (run: AcceptedRun, announced: Promise<unknown> = Promise.resolve()) => {
        if (take()) this.#start(run, announced);
      },
      release: () => {
        if (take()) this.#release(userId);
      },
    });
  }

  resume({ retries, draftsWaiting }: Pick<RecoveryReport, 'retries' | 'draftsWaiting'>): void {
    if (draftsWaiting > 0) this.#outbox.repeatSoon();
    // From now on they are left to the next process.
    if (this.#isDraining) return;
    for (const { run, parts } of retries) {
      const { agent, attempt, messageId, answerId } = run;
      const context = this.#contextOf(run);
      this.#hold(run.userId);
      this.#start({ context, agent, attempt, messageId, answerId, parts }, Promise.resolve());
    }
  }

  async stop(runId: RunId): Promise<RunEndStatus | undefined> {
    const active = this.#active.get(runId);
    if (active === undefined) return undefined;
    stopRun(active, 'cancelled');
    // A store or a log that is away keeps a run from ending, and must not keep the asker waiting.
    const isOver = await settledWithin(this.#deps.clock, this.#options.commandWaitMs, active.ended.promise);
    return isOver ? await active.ended.promise : undefined;
  }

  async stopThread(userId: UserId, threadId: ThreadId): Promise<void> {
    const runs = [...this.#active.values()].filter(
      ({ run }) => run.context.userId === userId && run.context.threadId === threadId,
    );
    for (const active of runs) stopRun(active, 'cancelled');
    await Promise.all(runs.map(({ ended }) => ended.promise));
  }

  activeRuns(userId: UserId): readonly RunId[] {
    return [...this.#active.entries()]
      .filter(([, { run }]) => run.context.userId === userId)
      .map(([runId]) => runId);
  }

  stats(): SupervisorStats {
    const active = this.#active.size;
    return { active, reserved: this.#places - active, ended: { ...this.#ended } };
  }

  async drain(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#isDraining = true;
    const { timeoutMs = LIMITS.shutdownTimeoutMs } = options;
    await settledWithin(this.#deps.clock, timeoutMs, this.#whenIdle());
    await this.close();
  }

  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#isDraining = true;
      this.#closing.abort();
      for (const active of this.#active.values()) stopRun(active, this.#shutdownReason(active.run));
      await this.#whenIdle();
      this.#outbox.close();
      this.#closed.resolve();
    }
    await this.#closed.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #start(run: AcceptedRun, announced: Promise<unknown>): void {
    const { userId, runId } = run.context;
    const active: ActiveRun = { run, ended: createDeferred(), engine: undefined, stop: undefined };
    this.#active.set(runId, active);
    if (this.#closing.signal.aborted) active.stop = this.#shutdownReason(run);
    void this.#execute(active, announced).then((status) => {
      this.#active.delete(runId);
      if (status !== undefined) this.#ended[status] += 1;
      this.#release(userId);
      active.ended.resolve(status);
    });
  }

  /** Never rejects: what one run does ends no other. */
  async #execute(active: ActiveRun, announced: Promise<unknown>): Promise<RunEndStatus | undefined> {
    try {
      await announced;
      const engine = this.#engines.create(active.run.context, active.run);
      active.engine = engine;
      if (active.stop !== undefined) engine.stop(active.stop);
      return await engine.run();
    } catch (cause) {
      const { runId, requestId } = active.run.context;
      this.#deps.logger.error({ runId, requestId, err: cause }, 'A run could not begin.');
      return await this.#endUnbegun(active.run, cause);
    }
  }

  /** Ends a run that has no engine: SQL decides, the outbox tells the log. */
  async #endUnbegun(run: AcceptedRun, why: unknown): Promise<RunEndStatus | undefined> {
    const { clock, runs } = this.#deps;
    const { context, agent, attempt, answerId } = run;
    const { threadId, runId, requestId } = context;
    const logger = this.#deps.logger.child({ runId, requestId });
    const deps = { clock, logger, runs, options: this.#options, closing: this.#closing.signal };
    const terminal = new RunTerminal(deps, { context, input: run });
    const error = withReference(appendFailure(why, FAILURES.notPrepared), requestId);
    const data = { agent, messageId: answerId, status: 'failed', error, durationMs: 0 } as const;
    const end = directTerminal({ threadId, runId, attempt, data, isBegun: false });
    try {
      await terminal.commit(end.terminal, { ...end, parts: [], result: undefined });
      this.#outbox.repeatSoon();
      return 'failed';
    } catch (cause) {
      logger.error({ err: cause }, 'A run ends without an end.');
      return undefined;
    }
  }

  #contextOf({ userId, threadId, runId }: RetriedRun['run']): AcceptedRun['context'] {
    const requestId = this.#deps.ids.requestId();
    return createRequestContext({ userId, requestId }).forRun({ threadId, runId });
  }

  /** A run that ends with its server, and may be begun again, is left to the next one. */
  #shutdownReason({ agent, attempt }: AcceptedRun): StopReason {
    const { agents } = this.#deps;
    const isLeft = mayRetry({ agent, attempt, status: 'running' }, { agents, options: this.#options });
    return isLeft ? 'abandoned' : 'interrupted';
  }

  #hold(userId: UserId): void {
    this.#held.set(userId, (this.#held.get(userId) ?? 0) + 1);
    this.#places += 1;
  }

  #release(userId: UserId): void {
    const held = this.#held.get(userId) ?? 0;
    if (held > 1) this.#held.set(userId, held - 1);
    else this.#held.delete(userId);
    this.#places -= 1;
    if (this.#places === 0) this.#idle?.resolve();
  }

  #whenIdle(): Promise<void> {
    if (this.#places === 0) return Promise.resolve();
    this.#idle ??= createDeferred();
    return this.#idle.promise;
  }
}

/** New events of the user would overtake those that wait for the storage. */
function notStored({ retryMaxDelayMs }: ResolvedAgentRuntimeOptions): ErrorBody {
  const message = 'Our storage does not take anything at the moment. Please try again.';
  return createErrorBody('NOT_READY', { message, retryAfterMs: retryMaxDelayMs });
}

function stopRun(active: ActiveRun, reason: StopReason): void {
  active.stop ??= reason;
  active.engine?.stop(reason);
}

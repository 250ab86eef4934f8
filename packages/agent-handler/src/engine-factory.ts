import { createScope, type UserExecutionContext } from '@runwire/user-context';
import type {
  AgentRuntimeDeps,
  ExecutionEngine,
  ExecutionEngineFactory,
  Outbox,
  RunInput,
} from './contract.js';
import { RunEngine } from './execution-engine.js';
import { type AgentRuntimeOptions, resolveLimits, resolveOptions } from './options.js';
import { RunEnding } from './run-ending.js';
import { RunEvents } from './run-events.js';
import { RunTerminal } from './run-terminal.js';
import { createToolDispatcher } from './tool-dispatcher.js';

/** What engines are built from, beyond what every part of running agents needs. */
export interface ExecutionEngineFactoryDeps extends AgentRuntimeDeps {
  readonly outbox: Pick<Outbox, 'repeatSoon'>;
  /** Aborted when the server closes: a store that fails to take the end of a run is then not asked again. */
  readonly closing: AbortSignal;
}

/** Creates the factory. */
export function createExecutionEngineFactory(
  deps: ExecutionEngineFactoryDeps,
  options?: AgentRuntimeOptions,
): ExecutionEngineFactory {
  const resolved = resolveOptions(options);
  const { clock, ids, emitters, threads, runs, outbox, agents, closing } = deps;

  const create = (context: UserExecutionContext, input: RunInput): ExecutionEngine => {
    const { userId, threadId, runId, requestId } = context;
    const agent = agents.get(input.agent);
    const logger = deps.logger.child({ userId, threadId, runId, requestId, agent: agent.name });
    // A run's scope hangs on no connection and no request.
    const scope = createScope({ logger }, `run ${runId}`);
    // First the emitter, then what emits.
    const emitter = emitters.createUserEmitter(context, { attempt: input.attempt });
    scope.onDispose(() => emitter[Symbol.asyncDispose]());
    const ending = new RunEnding();
    const events = new RunEvents({ clock, emitter, ending, run: input, limits: resolved });
    const tools = createToolDispatcher({
      clock,
      logger,
      ids,
      context,
      events,
      tools: agent.tools ?? [],
      toolTimeoutMs: resolved.toolTimeoutMs,
    });
    scope.onDispose(() => tools.cancel());
    const run = { context, input };
    const terminal = new RunTerminal({ clock, logger, runs, options: resolved, closing }, run);
    const limits = resolveLimits(resolved.limits, agent.limits);
    return new RunEngine({
      clock,
      logger,
      threads,
      runs,
      outbox,
      run,
      agent,
      limits,
      options: resolved,
      scope,
      emitter,
      ending,
      events,
      tools,
      terminal,
    });
  };
  return Object.freeze({ create });
}

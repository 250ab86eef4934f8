import type { IdGenerator } from '@runwire/id-generation';
import type { EventData } from '@runwire/protocol';
import type { AnyToolDefinition, ToolCaller, ToolOutcome } from './definitions.js';
import { FAILURES, runOver, toolNotFound } from './errors.js';
import { redactFields, toJsonValue } from './json-value.js';
import { RunningToolCall, type ToolCallDeps } from './tool-call.js';
import { quiet } from './waiting.js';

/** What a dispatcher is built from. */
export interface ToolDispatcherDeps extends ToolCallDeps {
  readonly ids: Pick<IdGenerator, 'toolCallId'>;
  readonly tools: readonly AnyToolDefinition[];
  /** Of a tool that sets none. */
  readonly toolTimeoutMs: number;
}

/** Calls the tools of one run. */
export interface ToolDispatcher extends ToolCaller {
  /** Calls that have not completed. */
  readonly openCalls: number;
  /**
   * Ends the run's tools: every open call is completed `cancelled` at once, whatever its tool does, and later
   * calls reject `RUN_OVER`. Settles when the events of the ends are emitted, or have failed. Idempotent.
   */
  cancel(): Promise<void>;
}

/** Creates the dispatcher of one run. */
export function createToolDispatcher(deps: ToolDispatcherDeps): ToolDispatcher {
  return new Dispatcher(deps);
}

class Dispatcher implements ToolDispatcher {
  readonly names: readonly string[];
  readonly #deps: ToolDispatcherDeps;
  readonly #tools: ReadonlyMap<string, AnyToolDefinition>;
  readonly #open = new Set<RunningToolCall>();
  #isOver = false;

  constructor(deps: ToolDispatcherDeps) {
    this.#deps = deps;
    this.#tools = new Map(deps.tools.map((tool) => [tool.name, tool]));
    this.names = Object.freeze([...this.#tools.keys()]);
  }

  get openCalls(): number {
    return this.#open.size;
  }

  call(tool: string, input: unknown): Promise<ToolOutcome> {
    return quiet(this.#call(tool, input));
  }

  async #call(tool: string, input: unknown): Promise<ToolOutcome> {
    if (this.#isOver) throw runOver();
    const definition = this.#tools.get(tool);
    const call = new RunningToolCall(this.#deps.ids.toolCallId(), tool, this.#deps);
    this.#track(call);
    const json = toJsonValue(input);
    await call.executing(json.ok ? redactFields(json.value, this.#secretsOf(definition)) : null);
    if (definition === undefined) {
      call.complete({ status: 'error', error: toolNotFound(tool, this.names) });
    } else {
      void call.run(definition, input, definition.timeoutMs ?? this.#deps.toolTimeoutMs);
    }
    const outcome = outcomeOf(await call.completed);
    if (outcome.status === 'cancelled') throw runOver();
    return outcome;
  }

  /** A call is open until its end is emitted, also when its beginning was cut short: `cancel` completes it. */
  #track(call: RunningToolCall): void {
    this.#open.add(call);
    const close = (): void => void this.#open.delete(call);
    call.completed.then(close, close);
  }

  async cancel(): Promise<void> {
    this.#isOver = true;
    const open = [...this.#open];
    for (const call of open) call.complete({ status: 'cancelled', error: FAILURES.toolCancelled });
    await Promise.allSettled(open.map((call) => call.completed));
  }

  /** The input for a tool that does not exist may hold what any tool of the agent calls a secret. */
  #secretsOf(definition: AnyToolDefinition | undefined): readonly string[] {
    if (definition !== undefined) return definition.secrets ?? [];
    return this.#deps.tools.flatMap((tool) => tool.secrets ?? []);
  }
}

function outcomeOf(shown: EventData<'tool_completed'>): ToolOutcome {
  if (shown.status === 'success') return { status: 'success', output: shown.output };
  return { status: shown.status, error: shown.error ?? FAILURES.toolFailed };
}

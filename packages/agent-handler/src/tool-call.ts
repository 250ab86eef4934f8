import type { ToolCallId } from '@runwire/id-generation';
import { type Clock, createDeferred, isCodedError, type Logger, type TimerHandle } from '@runwire/kernel';
import type { EventData } from '@runwire/protocol';
import type { UserExecutionContext } from '@runwire/user-context';
import type { AnyToolDefinition, ToolOutcome } from './definitions.js';
import { FAILURES, isToolError, runOver, toolInputInvalid } from './errors.js';
import { toJsonValue } from './json-value.js';
import { quiet } from './waiting.js';

/** What a tool call reports to. */
export interface ToolEvents {
  toolExecuting(data: EventData<'tool_executing'>): Promise<void>;
  toolProgress(data: EventData<'tool_progress'>): Promise<void>;
  /** Settles to what was shown: an output that cannot be kept is shown as an error. */
  toolCompleted(data: EventData<'tool_completed'>): Promise<EventData<'tool_completed'>>;
}

/** What a tool call is made with. */
export interface ToolCallDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly context: UserExecutionContext;
  readonly events: ToolEvents;
}

/** What a user can read of what is wrong with an input, at most. */
const MAX_ISSUES = 5;

/** One call of a tool, from its `tool_executing` to its one `tool_completed`, whatever comes first. */
export class RunningToolCall {
  readonly #deps: ToolCallDeps;
  readonly #toolCallId: ToolCallId;
  readonly #tool: string;
  readonly #startedAtMs: number;
  readonly #abort = new AbortController();
  readonly #over = createDeferred<EventData<'tool_completed'>>();
  #timer: TimerHandle | undefined;
  #isOver = false;

  constructor(toolCallId: ToolCallId, tool: string, deps: ToolCallDeps) {
    this.#deps = deps;
    this.#toolCallId = toolCallId;
    this.#tool = tool;
    this.#startedAtMs = deps.clock.monotonicMs();
    void quiet(this.#over.promise);
  }

  /** Settles with what was shown as its end. */
  get completed(): Promise<EventData<'tool_completed'>> {
    return this.#over.promise;
  }

  executing(input: unknown): Promise<void> {
    return this.#deps.events.toolExecuting({ toolCallId: this.#toolCallId, tool: this.#tool, input });
  }

  /** Runs the tool on its input, until it ends, its time is over, or the call is completed otherwise. */
  async run(definition: AnyToolDefinition, input: unknown, timeoutMs: number): Promise<void> {
    const { clock } = this.#deps;
    if (this.#isOver) return;
    this.#timer = clock.setTimer(timeoutMs, () => {
      this.complete({ status: 'timeout', error: FAILURES.toolTimeout });
    });
    try {
      const parsed = await definition.input.safeParseAsync(input);
      if (this.#isOver) return;
      if (parsed.success) {
        const output = await this.#invoke(definition, parsed.data);
        this.complete(this.#encoded(output));
      } else {
        const issues = parsed.error.issues.slice(0, MAX_ISSUES).map(describeIssue);
        this.complete({ status: 'error', error: toolInputInvalid(issues) });
      }
    } catch (cause) {
      this.complete({ status: 'error', error: this.#explain(cause) });
    }
  }

  /** Completes the call. Only the first outcome counts. */
  complete(outcome: ToolOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#abort.abort(runOver());
    const durationMs = Math.round(this.#deps.clock.monotonicMs() - this.#startedAtMs);
    const call = { toolCallId: this.#toolCallId, tool: this.#tool };
    this.#deps.events.toolCompleted({ ...call, ...outcome, durationMs }).then(
      (shown) => this.#over.resolve(shown),
      (cause: unknown) => this.#over.reject(cause),
    );
  }

  #invoke(definition: AnyToolDefinition, input: unknown): Promise<unknown> {
    const { context, events } = this.#deps;
    return definition.run(input, {
      signal: this.#abort.signal,
      context,
      progress: (update) => {
        if (this.#isOver) return quiet(Promise.reject(runOver()));
        return events.toolProgress({ toolCallId: this.#toolCallId, ...shownProgress(update) });
      },
    });
  }

  #encoded(output: unknown): ToolOutcome {
    const json = toJsonValue(output);
    if (json.ok) return { status: 'success', output: json.value };
    this.#deps.logger.warn({ tool: this.#tool, err: json.cause }, 'The output of a tool is no JSON.');
    return { status: 'error', error: FAILURES.toolOutputInvalid };
  }

  #explain(cause: unknown): { readonly code: string; readonly message: string } {
    if (isToolError(cause)) return { code: cause.code, message: cause.message };
    const isExpected =
      this.#isOver && (isCodedError(cause, 'RUN_OVER') || this.#abort.signal.reason === cause);
    if (!isExpected) this.#deps.logger.error({ tool: this.#tool, err: cause }, 'A tool failed.');
    return FAILURES.toolFailed;
  }
}

function describeIssue(issue: { readonly path: readonly PropertyKey[]; readonly message: string }): string {
  const where = issue.path.map(String).join('.');
  return where === '' ? issue.message : `${where}: ${issue.message}`;
}

/** Progress as the protocol has it: 0–100, and nothing that is no number. */
function shownProgress(update: { readonly message?: string; readonly percent?: number }) {
  const { message, percent } = update;
  return {
    ...(message === undefined ? {} : { message }),
    ...(percent === undefined || !Number.isFinite(percent)
      ? {}
      : { percent: Math.min(100, Math.max(0, percent)) }),
  };
}

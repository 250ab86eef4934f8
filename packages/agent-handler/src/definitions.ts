import type { MessageId } from '@runwire/id-generation';
import type { MessagePart } from '@runwire/protocol';
import type { UserExecutionContext } from '@runwire/user-context';
import type { z } from 'zod';

/** An agent as `defineAgent` takes it. */
export interface AgentDefinition {
  /** Unique in a registry: 1–64 of `a-z 0-9 _ -`. */
  readonly name: string;
  /** One sentence for the user. */
  readonly description: string;
  readonly tools?: readonly AnyToolDefinition[];
  readonly limits?: Partial<RunLimits>;
  /**
   * Whether a run whose process died, or was stopped, is begun again from its message, with the same history, in
   * a new attempt. What the attempt before did is not undone: each effect of a tool must bear repetition, or be
   * found done. Otherwise the run ends `interrupted` with what it has said so far.
   *
   * @defaultValue false
   */
  readonly retryOnCrash?: boolean;
  /**
   * Does the work. Resolves to the answer; `text` may be left out when the answer was streamed. Nothing
   * returned and nothing streamed fails the run. Throwing fails it with a message of `errors.ts`.
   */
  readonly run: (task: AgentTask) => Promise<AgentResult | undefined>;
}

/** One run, as its agent sees it. */
export interface AgentTask {
  /** The user's message as plain text. */
  readonly input: string;
  readonly parts: readonly MessagePart[];
  /** Earlier messages of the thread, oldest first, without this one. */
  readonly history: readonly HistoryMessage[];
  readonly emit: AgentOutput;
  readonly tools: ToolCaller;
  /** Aborts on stop, timeout and shutdown. An agent that ignores it is ended all the same. */
  readonly signal: AbortSignal;
  readonly context: UserExecutionContext;
  /** 1, and one more each time that the run is begun again after its process died. */
  readonly attempt: number;
}

/** What an agent may show while it works. Await each call: that is the backpressure. */
export interface AgentOutput {
  /** A step begins, in words fit for the user. */
  readonly thinking: (
    text: string,
    step?: { readonly step: number; readonly totalSteps: number },
  ) => Promise<void>;
  /** Streams a piece of the answer. */
  readonly text: (piece: string) => Promise<void>;
  /** Streams a piece of the reasoning. */
  readonly reasoning: (piece: string) => Promise<void>;
  /** A failure that the run survives. */
  readonly problem: (code: string, message: string) => Promise<void>;
}

/** What an agent returns. */
export interface AgentResult {
  /** The whole answer. @defaultValue what was streamed with `emit.text` */
  readonly text?: string;
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number };
}

/** Calls the agent's tools. */
export interface ToolCaller {
  /**
   * Runs one tool call, from `tool_executing` to its one `tool_completed`. Never rejects for a failing tool:
   * an unknown name, invalid input, an error or a timeout is an outcome. Rejects only when the run is over.
   */
  readonly call: (tool: string, input: unknown) => Promise<ToolOutcome>;
  readonly names: readonly string[];
}

/** How a tool call ended. */
export type ToolOutcome =
  | { readonly status: 'success'; readonly output: unknown }
  | {
      readonly status: 'error' | 'timeout' | 'denied' | 'cancelled';
      readonly error: { readonly code: string; readonly message: string };
    };

/** A tool as `defineTool` takes it. */
export interface ToolDefinition<Input extends z.ZodType = z.ZodType> {
  /** Unique in an agent: 1–64 of `a-z 0-9 _ -`. */
  readonly name: string;
  /** One sentence, for the user and for a model. */
  readonly description: string;
  readonly input: Input;
  /** @defaultValue 30_000 */
  readonly timeoutMs?: number;
  /** Input fields, at any depth, whose values are never shown: they are replaced in `tool_executing`. */
  readonly secrets?: readonly string[];
  /**
   * Does the work. What it resolves to must be expressible in JSON, and is handed to the agent as JSON has it
   * (`undefined` becomes `null`). A `ToolError` thrown here is told to the user as it is; anything else only
   * as "the tool failed". A tool that ignores its signal is given up all the same.
   */
  run(input: z.output<Input>, call: ToolCall): Promise<unknown>;
}

/** Any tool, whatever its input. */
export type AnyToolDefinition = ToolDefinition;

/** One call, as its tool sees it. */
export interface ToolCall {
  /** Aborts on the tool's timeout and when the run ends. */
  readonly signal: AbortSignal;
  readonly context: UserExecutionContext;
  /** Shows how far the call is. Rejects once the call is over. */
  readonly progress: (update: { readonly message?: string; readonly percent?: number }) => Promise<void>;
}

/** The limits of a run (protocol §7a). */
export interface RunLimits {
  /** @defaultValue 600_000 */
  readonly runTimeoutMs: number;
  /** Without any emitted event. @defaultValue 60_000 */
  readonly idleTimeoutMs: number;
  /** From a stop to the terminal event. @defaultValue 1_000 */
  readonly stopTimeoutMs: number;
}

/** An earlier message of a thread. */
export interface HistoryMessage {
  readonly messageId: MessageId;
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

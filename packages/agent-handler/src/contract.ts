import type { EventLog, Producer } from '@runwire/event-log';
import type { IdGenerator, MessageId, RunId, ThreadId, UserId } from '@runwire/id-generation';
import type { Clock, Lifecycle, Logger } from '@runwire/kernel';
import type {
  AnswerPart,
  ClientMessageOf,
  CommandReply,
  ErrorBody,
  EventDraft,
  MessagePart,
  RunStatus,
} from '@runwire/protocol';
import type { RequestContext, UserExecutionContext } from '@runwire/user-context';
import type { TerminalDraft, UserEmitter } from '@runwire/bridge-factory';
import type { z } from 'zod';

// ---------------------------------------------------------------------------------------------------------
// Agents and tools: what an application writes
// ---------------------------------------------------------------------------------------------------------

/** An agent as `defineAgent` takes it. */
export interface AgentDefinition {
  /** Unique in a registry: 1–64 of `a-z 0-9 _ -`. */
  readonly name: string;
  /** One sentence for the user. */
  readonly description: string;
  readonly tools?: readonly AnyToolDefinition[];
  readonly limits?: Partial<RunLimits>;
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
}

/** What an agent may show while it works. Await each call: that is the backpressure. */
export interface AgentOutput {
  /** A step begins, in words fit for the user. */
  thinking(text: string, step?: { readonly step: number; readonly totalSteps: number }): Promise<void>;
  /** Streams a piece of the answer. */
  text(piece: string): Promise<void>;
  /** Streams a piece of the reasoning. */
  reasoning(piece: string): Promise<void>;
  /** A failure that the run survives. */
  problem(code: string, message: string): Promise<void>;
}

/** What an agent returns. */
export interface AgentResult {
  /** The whole answer. @default what was streamed with `emit.text` */
  readonly text?: string;
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number };
}

/** Calls the agent's tools. */
export interface ToolCaller {
  /**
   * Runs one tool call, from `tool_executing` to its one `tool_completed`. Never rejects for a failing tool:
   * an unknown name, invalid input, an error or a timeout is an outcome. Rejects only when the run is over.
   */
  call(tool: string, input: unknown): Promise<ToolOutcome>;
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
  readonly name: string;
  readonly description: string;
  readonly input: Input;
  /** @default 30_000 */
  readonly timeoutMs?: number;
  /** Input fields whose values are never shown: they are replaced in `tool_executing`. */
  readonly secrets?: readonly string[];
  readonly run: (input: z.output<Input>, call: ToolCall) => Promise<unknown>;
}

/** Any tool, whatever its input. */
// biome-ignore lint/suspicious/noExplicitAny: a registry holds tools of every input
export type AnyToolDefinition = ToolDefinition<any>;

/** One call, as its tool sees it. */
export interface ToolCall {
  readonly signal: AbortSignal;
  readonly context: UserExecutionContext;
  progress(update: { readonly message?: string; readonly percent?: number }): Promise<void>;
}

/** The limits of a run (protocol §7a). */
export interface RunLimits {
  /** @default 600_000 */
  readonly runTimeoutMs: number;
  /** Without any emitted event. @default 60_000 */
  readonly idleTimeoutMs: number;
  /** From a stop to the terminal event. @default 1_000 */
  readonly stopTimeoutMs: number;
}

/** An earlier message of a thread. */
export interface HistoryMessage {
  readonly messageId: MessageId;
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

// ---------------------------------------------------------------------------------------------------------
// Ports: what running agents needs
// ---------------------------------------------------------------------------------------------------------

/** Threads and their messages. Everything is scoped to the user: foreign is the same as missing. */
export interface ThreadStore {
  /** The thread's messages before `before` (all when omitted), oldest first, the newest `limit` of them. */
  history(
    userId: UserId,
    threadId: ThreadId,
    options: { readonly before?: MessageId; readonly limit: number },
  ): Promise<readonly HistoryMessage[]>;
}

/** Runs, commands and the outbox. Each method is one transaction. */
export interface RunStore {
  /**
   * Accepts a message: claims the command, creates the thread when it is new, and writes the message, the
   * run (`accepted`), the answer to the command and the outbox entry, or nothing at all.
   */
  acceptMessage(request: AcceptMessage): Promise<AcceptOutcome>;
  /** The remembered reply to a command, within its retention. */
  recallCommand(userId: UserId, command: CommandKey): Promise<RecalledCommand>;
  /** Remembers a reply to a command that did no other work. The first reply wins and is returned. */
  rememberCommand(userId: UserId, command: CommandKey, reply: CommandReply): Promise<CommandReply>;
  /** `accepted → running`, for this attempt. False when the run is not `accepted`. */
  startRun(runId: RunId, attempt: number): Promise<boolean>;
  /**
   * Ends a run on condition that it is open and of this attempt: writes its status, the answer and the
   * terminal draft. False, and nothing written, when the condition does not hold.
   */
  finishRun(finish: FinishRun): Promise<boolean>;
  /** The draft is in the log: its outbox entry is done. */
  markAppended(userId: UserId, producer: Producer): Promise<void>;
  /** One of the user's runs. */
  findRun(userId: UserId, runId: RunId): Promise<RunRecord | undefined>;
  /** Drafts committed and not known to be in the log, oldest first. */
  pendingOutbox(): Promise<readonly OutboxEntry[]>;
  /** Runs that are `accepted` or `running`, over all users. */
  openRuns(): Promise<readonly RunRecord[]>;
}

/** A command's id with the hash of its body. */
export interface CommandKey {
  readonly id: string;
  readonly bodyHash: string;
}

/** What is known of a command. */
export type RecalledCommand =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'done'; readonly reply: CommandReply }
  /** The id was used with another body. */
  | { readonly kind: 'reused' };

/** One message to accept. The ids are made by the caller and are used only if it is accepted. */
export interface AcceptMessage {
  readonly userId: UserId;
  readonly command: CommandKey | undefined;
  /** The producer under which the drafts are appended. */
  readonly producer: Producer;
  /** The thread asked for, or the id for the new one. */
  readonly thread: { readonly kind: 'existing' | 'new'; readonly threadId: ThreadId };
  readonly title: string;
  readonly messageId: MessageId;
  readonly runId: RunId;
  readonly answerId: MessageId;
  readonly agent: string;
  readonly parts: readonly MessagePart[];
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly nowMs: number;
}

/** What came of a message. */
export type AcceptOutcome =
  | { readonly kind: 'accepted'; readonly reply: CommandReply<'user_message'>; readonly outbox: OutboxEntry }
  | { readonly kind: 'repeated'; readonly reply: CommandReply }
  | { readonly kind: 'reused' }
  | { readonly kind: 'threadNotFound' }
  /** A run of the thread is open. */
  | { readonly kind: 'threadBusy'; readonly runId: RunId };

/** Drafts that SQL has decided and the log shall have, under their producer key. */
export interface OutboxEntry {
  readonly userId: UserId;
  readonly producer: Producer;
  readonly drafts: readonly EventDraft[];
}

/** The end of a run. */
export interface FinishRun {
  readonly userId: UserId;
  readonly runId: RunId;
  readonly attempt: number;
  readonly status: Exclude<RunStatus, 'accepted' | 'running'>;
  readonly parts: readonly AnswerPart[];
  readonly terminal: TerminalDraft;
  readonly nowMs: number;
}

/** A run as it is stored. */
export interface RunRecord {
  readonly userId: UserId;
  readonly runId: RunId;
  readonly threadId: ThreadId;
  readonly agent: string;
  /** The message that asked for it. */
  readonly messageId: MessageId;
  /** The message that answers it. */
  readonly answerId: MessageId;
  readonly attempt: number;
  readonly status: RunStatus;
  readonly acceptedAtMs: number;
  readonly startedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
}

/** What makes emitters. `WebSocketBridgeFactory` fits. */
export interface Emitters {
  createUserEmitter(context: UserExecutionContext, options?: { readonly attempt?: number }): UserEmitter;
  appendForUser(userId: UserId, drafts: readonly EventDraft[], producer: Producer): Promise<void>;
}

/** Everything that running agents is built from. */
export interface AgentRuntimeDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ids: IdGenerator;
  readonly emitters: Emitters;
  readonly threads: ThreadStore;
  readonly runs: RunStore;
  readonly agents: AgentRegistry;
}

// ---------------------------------------------------------------------------------------------------------
// Services
// ---------------------------------------------------------------------------------------------------------

/** The agents of a process. */
export interface AgentRegistry {
  /** @throws AgentError `AGENT_UNKNOWN`, naming the agents there are */
  get(name: string): AgentDefinition;
  has(name: string): boolean;
  list(): readonly AgentDefinition[];
  readonly defaultAgent: string;
}

/** Turns commands of one user into runs. One per process; safe for concurrent calls. */
export interface AgentMessageHandler {
  userMessage(
    message: ClientMessageOf<'user_message'>,
    request: AgentRequest,
  ): Promise<CommandReply<'user_message'>>;
  stopAgent(message: ClientMessageOf<'stop_agent'>, request: AgentRequest): Promise<CommandReply<'stop_agent'>>;
  startAgent(
    message: ClientMessageOf<'start_agent'>,
    request: AgentRequest,
  ): Promise<CommandReply<'start_agent'>>;
  resolveApproval(
    message: ClientMessageOf<'resolve_approval'>,
    request: AgentRequest,
  ): Promise<CommandReply<'resolve_approval'>>;
}

/** Who asks. `CommandRequest` of `websocket-core` fits. */
export interface AgentRequest {
  readonly context: RequestContext;
  /** Aborts when the asker is gone: what has not committed is not begun, what has goes on. */
  readonly signal: AbortSignal;
}

/** Owns every run of this process, from its start to its terminal event. */
export interface RunSupervisor extends Lifecycle {
  /**
   * Takes a place for a run before it is accepted, so that limits hold under concurrency.
   * @returns the place, or the `RUN_LIMIT` / `NOT_READY` error to answer
   */
  reserve(userId: UserId): RunPlace | { readonly refused: ErrorBody };
  /** Asks a run to stop; settles with its terminal status, within the stop time. Undefined: not here. */
  stop(runId: RunId): Promise<RunStatus | undefined>;
  /** Stops the runs of a thread and settles when they have ended. */
  stopThread(userId: UserId, threadId: ThreadId): Promise<void>;
  activeRuns(userId: UserId): readonly RunId[];
  stats(): SupervisorStats;
}

/** A place for one run. */
export interface RunPlace {
  /** Begins the run in its own context; the place is given back when it has ended. Returns at once. */
  start(run: AcceptedRun): void;
  /** Gives the place back without a run. Idempotent. */
  release(): void;
}

/** A run that SQL has accepted. */
export interface AcceptedRun {
  readonly context: UserExecutionContext;
  readonly agent: string;
  readonly attempt: number;
  readonly messageId: MessageId;
  readonly answerId: MessageId;
  readonly parts: readonly MessagePart[];
}

/** Counts of a supervisor; `active` and `reserved` are zero when nothing runs. */
export interface SupervisorStats {
  readonly active: number;
  readonly reserved: number;
  readonly ended: Readonly<Record<Exclude<RunStatus, 'accepted' | 'running'>, number>>;
}

/** Repairs, before `ready`, what an earlier process left half done (architecture §5, step 6). */
export interface Recovery {
  /** Appends what SQL has decided, then ends every open run `interrupted`. Idempotent. */
  recover(deps: { readonly log: EventLog }): Promise<RecoveryReport>;
}

/** What recovery did. */
export interface RecoveryReport {
  readonly draftsAppended: number;
  readonly runsInterrupted: number;
}

import type { TerminalDraft, UserEmitter } from '@runwire/bridge-factory';
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
  RunEndStatus,
  RunStatus,
} from '@runwire/protocol';
import type { RequestContext, UserExecutionContext } from '@runwire/user-context';
import type { AgentDefinition, HistoryMessage } from './definitions.js';

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
  readonly status: RunEndStatus;
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
  stopAgent(
    message: ClientMessageOf<'stop_agent'>,
    request: AgentRequest,
  ): Promise<CommandReply<'stop_agent'>>;
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
  /**
   * Asks a run to stop; settles with its terminal status, within the stop time. Undefined: it is not here, was
   * ended by somebody else, or cannot end for now because the store or the log is away.
   */
  stop(runId: RunId): Promise<RunStatus | undefined>;
  /** Stops the runs of a thread and settles when they have ended. */
  stopThread(userId: UserId, threadId: ThreadId): Promise<void>;
  activeRuns(userId: UserId): readonly RunId[];
  stats(): SupervisorStats;
}

/** A place for one run. */
export interface RunPlace {
  /**
   * Takes the run over, in its own context, and returns at once; from now on it can be stopped. Its engine
   * begins when `announced` (the append of the message's events) has settled; when that rejects, the run ends
   * `failed`. The place is given back when the run has ended.
   */
  start(run: AcceptedRun, announced?: Promise<unknown>): void;
  /** Gives the place back without a run. Idempotent. */
  release(): void;
}

/** What one engine executes. */
export interface RunInput {
  readonly agent: string;
  readonly attempt: number;
  readonly messageId: MessageId;
  readonly answerId: MessageId;
  readonly parts: readonly MessagePart[];
}

/** A run that SQL has accepted. */
export interface AcceptedRun extends RunInput {
  readonly context: UserExecutionContext;
}

/** Makes one engine for each run. */
export interface ExecutionEngineFactory {
  /**
   * The engine of one attempt of a run, with its emitter, its tools and its scope.
   *
   * @throws BridgeError `EMITTER_EXISTS`, `BRIDGE_CLOSED`; AgentError `AGENT_UNKNOWN`
   */
  create(context: UserExecutionContext, run: RunInput): ExecutionEngine;
}

/** Executes one attempt of one run, and is gone with it. */
export interface ExecutionEngine {
  /**
   * Does the run, once. Settles, and never rejects, when its terminal event is appended (or is left to the
   * outbox) and its scope is disposed: with the status SQL has, or undefined when another has the run, or
   * the server closes and the store refuses.
   */
  run(): Promise<RunEndStatus | undefined>;
  /** Ends the run from outside, also before `run`. Once an end is decided it changes nothing. */
  stop(status: 'cancelled' | 'interrupted'): void;
}

/** Counts of a supervisor; `active` and `reserved` are zero when nothing runs. */
export interface SupervisorStats {
  readonly active: number;
  readonly reserved: number;
  readonly ended: Readonly<Record<RunEndStatus, number>>;
}

/** Brings what SQL has decided into the log, whatever fails on the way (architecture: SQL decides, the log follows). */
export interface Outbox {
  /**
   * Appends every pending entry, oldest first, under its producer key, so that repeating one does nothing. A
   * user whose append fails waits; the others go on. Settles to what is done and what is left.
   */
  repeat(): Promise<{ readonly appended: number; readonly failed: number }>;
  /** Repeats now, and again with growing delays until nothing is left. Returns at once. */
  repeatSoon(): void;
  /** Ends the repeating. Idempotent. */
  close(): void;
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

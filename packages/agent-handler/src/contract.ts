import type { UserEmitter } from '@runwire/bridge-factory';
import type { EventLog, Producer } from '@runwire/event-log';
import type { IdGenerator, MessageId, RunId, ThreadId, UserId } from '@runwire/id-generation';
import type { Clock, Lifecycle, Logger } from '@runwire/kernel';
import type {
  ClientMessageOf,
  CommandReply,
  ErrorBody,
  EventDraft,
  MessagePart,
  RunEndStatus,
  RunStatus,
} from '@runwire/protocol';
import type { RequestContext, UserExecutionContext } from '@runwire/user-context';
import type { AgentDefinition } from './definitions.js';
import type { RetriedRun, RunStore, ThreadStore } from './store-contract.js';

export type * from './store-contract.js';

// ---------------------------------------------------------------------------------------------------------
// Ports: what running agents needs
// ---------------------------------------------------------------------------------------------------------

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
   * @returns the place, or the error to answer: `RUN_LIMIT`; `NOT_READY` while draining, and while events of the
   * user wait for a log that does not take them
   */
  reserve(userId: UserId): RunPlace | { readonly refused: ErrorBody };
  /**
   * Goes on with what recovery has left: starts each retried run in its attempt, in a context of its own, and
   * repeats the drafts that the log did not take. Returns at once. The runs count towards the limits and are not
   * held back by them: they were accepted before.
   */
  resume(recovered: Pick<RecoveryReport, 'retries' | 'draftsWaiting'>): void;
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
   * outbox) and its scope is disposed: with the status SQL has, or undefined when another has the run, the
   * attempt was abandoned, or the server closes and the store refuses.
   */
  run(): Promise<RunEndStatus | undefined>;
  /** Ends the attempt from outside, also before `run`. Once an end is decided it changes nothing. */
  stop(reason: StopReason): void;
}

/**
 * Why a run is stopped: its user asked for it, or the server stops. `abandoned` ends the attempt and not the run:
 * it gets no terminal event, and the next process begins the next attempt.
 */
export type StopReason = 'cancelled' | 'interrupted' | 'abandoned';

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
  /** Whether, at the last repeat, the storage of the log did not take events of the user: others must not overtake them. */
  isWaiting(userId: UserId): boolean;
  /** Ends the repeating. Idempotent. */
  close(): void;
}

/** Repairs, before `ready`, what an earlier process left half done (architecture §5, step 6). */
export interface Recovery {
  /**
   * Decides in SQL for every open run: another attempt where its agent says `retryOnCrash` and there is one left,
   * else the end `interrupted`, with its text so far. Then appends what SQL has decided. Nothing is started here.
   * A repeat, wherever the last one died, changes nothing that was decided and uses up no attempt.
   */
  recover(deps: { readonly log: EventLog }): Promise<RecoveryReport>;
}

/** What recovery did, and what it leaves to {@link RunSupervisor.resume}. */
export interface RecoveryReport {
  /** Entries of the outbox. */
  readonly draftsAppended: number;
  /** Entries that the log did not take. */
  readonly draftsWaiting: number;
  readonly runsInterrupted: number;
  /** Runs that the log had open and SQL does not know, ended `interrupted` in the log. */
  readonly runsUnknown: number;
  /** Runs that SQL has accepted for an attempt of this process. */
  readonly retries: readonly RetriedRun[];
}

import type { EventLog, Producer, Unsubscribe } from '@runwire/event-log';
import type { ConnectionId, MessageId, RequestId, ToolCallId, UserId } from '@runwire/id-generation';
import type { Clock, Logger } from '@runwire/kernel';
import type {
  ClientMessageOf,
  ControlMessage,
  EventData,
  EventDraft,
  ResetReason,
  ResumeInfo,
  ResumeRequest,
  StreamInfo,
} from '@runwire/protocol';
import type { UserExecutionContext } from '@runwire/user-context';

// ---------------------------------------------------------------------------------------------------------
// Ports: what delivery needs
// ---------------------------------------------------------------------------------------------------------

/** One authenticated connection, as delivery sees it. `ClientConnection` of `websocket-core` fits. */
export interface DeliveryConnection {
  readonly id: ConnectionId;
  readonly userId: UserId;
  /** False as soon as a close has begun, from either side: nothing more may be sent. */
  readonly isOpen: boolean;
  /** Bytes accepted and not yet handed to the kernel. */
  readonly bufferedBytes: number;
  /** Sends `connection_established`, to which the connection adds what it knows. Once. */
  establish(delivery: { readonly stream: StreamInfo; readonly resume: ResumeInfo }): void;
  /** Sends one control message, in order with the frames. A no-op once `isOpen` is false. */
  send(message: ControlMessage): void;
  /**
   * Writes frames together, in order, behind everything sent before. The frames may be shared with other
   * connections and are not to be changed. A no-op once `isOpen` is false.
   */
  sendFrames(frames: readonly Uint8Array[]): void;
  /** Calls `listener` when `bufferedBytes` has fallen below the low mark after having been above it. */
  onDrain(listener: () => void): Unsubscribe;
  /** Calls `listener` once when the connection is over, in whatever way; at once when it already is. */
  onClose(listener: () => void): Unsubscribe;
  /**
   * Registers this connection's handler for a message type; the handler goes with the connection. `answer`
   * tells the message's sender what is wrong with it, before the handler returns.
   */
  handle<T extends 'ack' | 'resync'>(
    type: T,
    handler: (message: ClientMessageOf<T>, answer: (message: ControlMessage) => void) => void,
  ): Unsubscribe;
  /** Tells liveness what is sent and not yet acknowledged (protocol §3). */
  reportInFlight(flow: InFlight): void;
  /** Begins the close with a code of protocol §7: 4500 when the log cannot be read, so that the client resumes. */
  close(code: number, reason?: string): void;
}

/** What a connection has been sent and has not acknowledged: now, whenever it is looked at. */
export interface InFlight {
  /** 0 when the client does not ack at all. */
  readonly unackedBytes: number;
  /** Bytes of the largest unacknowledged frame; 0 when there is none or the client does not ack at all. */
  readonly largestFrameBytes: number;
  /** The last `seq` sent, for the `heartbeat` message. */
  readonly sentSeq: number;
  /** The last `seq` of the stream known here. */
  readonly headSeq: number;
}

/** Who is connected. `ConnectionPool` fits. */
export interface Connections {
  /** The user's open connections, in order of admission; empty when there is none. */
  connectionsOf(userId: UserId): readonly { readonly id: ConnectionId }[];
}

/**
 * Keeps what is too large for an event (protocol §4, Size) and says where it can be fetched. It is called
 * before the event is appended; a rejection rejects that one emit with `LARGE_VALUE_NOT_STORED`.
 */
export interface LargeValueStore {
  storeResult(context: UserExecutionContext, text: string): Promise<string>;
  storeToolOutput(context: UserExecutionContext, toolCallId: string, output: unknown): Promise<string>;
}

/** Listens to delivery, for metrics and for `GET /api/runs/:id/delivery`. Called synchronously; must not throw. */
export interface DeliveryObserver {
  /** A connection's start, or its `resync`, was decided. `reason` is set when `mode` is `reset`. */
  resumed?(start: {
    readonly connectionId: ConnectionId;
    readonly mode: ResumeInfo['mode'];
    readonly reason?: ResetReason;
  }): void;
  /** A client has applied everything up to `seq`. */
  acked?(ack: DeliveryAck): void;
}

/** One acknowledgement that moved a cursor forward. */
export interface DeliveryAck {
  readonly userId: UserId;
  readonly connectionId: ConnectionId;
  readonly seq: number;
  /** How many events of the log it covers that were not acknowledged before. */
  readonly events: number;
  /** Milliseconds since the oldest frame it covers was handed to the connection; undefined when it covers none whole. */
  readonly waitedMs: number | undefined;
}

/** Everything a bridge factory is built from. A missing one is a compile error and a run-time error. */
export interface BridgeFactoryDeps {
  readonly log: EventLog;
  /** Wakes reach the cursors of these connections only: without a working one nothing is delivered live. */
  readonly connections: Connections;
  /** Makes the correlation id of a close with 4500, which is in the log line too. */
  readonly ids: { requestId(): RequestId };
  readonly clock: Clock;
  readonly logger: Logger;
  /** Without it an emit with a value that is too large rejects with `BRIDGE_MISSING_DEPENDENCY`. */
  readonly largeValues?: LargeValueStore;
  readonly observer?: DeliveryObserver;
}

// ---------------------------------------------------------------------------------------------------------
// Services: what this package gives
// ---------------------------------------------------------------------------------------------------------

/** Builds what connects a run to its user's connections. One per process. */
export interface WebSocketBridgeFactory extends AsyncDisposable {
  /**
   * The one way to emit events of a run. The emitter can name neither another user, thread nor run. It owns
   * the run's producer state, so a run attempt has exactly one emitter, ever.
   *
   * @throws BridgeError `EMITTER_EXISTS` while this attempt has an open emitter, `BRIDGE_CLOSED`
   */
  createUserEmitter(context: UserExecutionContext, options?: EmitterOptions): UserEmitter;
  /**
   * Puts a cursor on the user's stream and moves it over `connection`: decides resume (protocol §5), sends
   * `connection_established`, replays, sends `caught_up`, goes on live, and answers `ack` and `resync`. The
   * connection must be known to `connections`, otherwise nothing is delivered live. Settles when
   * `connection_established` is sent, or the connection closed meanwhile; the cursor ends with the
   * connection. A log that cannot be read closes the connection with 4500.
   *
   * @throws BridgeError `BRIDGE_CLOSED`, `BRIDGE_ALREADY_ATTACHED`
   */
  attach(connection: DeliveryConnection, resume: ResumeRequest | undefined): Promise<DeliveryCursor>;
  /**
   * Appends events that belong to no emitter (threads, messages, what recovery repeats), once per producer
   * key. Settles when the log has them; rejects with the log's error.
   *
   * @throws BridgeError `BRIDGE_CLOSED`
   */
  appendForUser(userId: UserId, drafts: readonly EventDraft[], producer: Producer): Promise<void>;
  /** Counts, for tests, health and metrics. */
  stats(): BridgeStats;
  /** Ends every cursor, subscription and emitter. Closes no connection. Idempotent. */
  close(): Promise<void>;
}

/** The position of one connection on its user's stream. */
export interface DeliveryCursor {
  readonly connectionId: ConnectionId;
  /** The last `seq` sent on this connection; where it started while nothing is. */
  readonly sentSeq: number;
  /** The last `seq` the client is known to have applied: by ack, resync or reset. 0 before the first. */
  readonly ackedSeq: number;
  /** `live`: at head, pushed to. `behind`: reads pages from the log. */
  readonly state: 'live' | 'behind' | 'closed';
  /** Settles with the first `caught_up`, or when the cursor closes. */
  readonly caughtUp: Promise<void>;
  /** Stops delivery on this connection at once: nothing more is handed to it. Idempotent. */
  close(): void;
}

/** How a run's emitter starts. */
export interface EmitterOptions {
  /** The run's attempt. @defaultValue 1 */
  readonly attempt?: number;
}

/** A terminal event with the key under which it is appended, to be stored before it is. */
export interface TerminalDraft {
  readonly draft: EventDraft<'agent_completed'>;
  readonly producer: Producer;
}

/** A piece of an answer. The emitter keeps the offsets. */
export interface DeltaInput {
  readonly messageId: MessageId;
  /** Index of the message's part. */
  readonly part: number;
  readonly kind: EventData<'agent_delta'>['kind'];
  readonly text: string;
  readonly toolCallId?: ToolCallId;
}

/**
 * Emits the events of one run, in the order of the calls. Each promise settles when the log has accepted
 * the event (for a delta: when there is room for more, which is the backpressure a flood meets), and rejects
 * with `EMIT_FAILED` once an append of this run has failed, with `EMIT_OVERFLOW` once a caller that does not
 * wait has emitted too much, or one that does too many parts, with `EMITTER_CLOSED` after the terminal event or
 * `close`. Bytes that a user's runs may append in a second are given out in turn. A rejected emit must
 * fail the run: nothing is dropped in silence. A promise that nobody awaits is no unhandled rejection.
 */
export interface UserEmitter extends AsyncDisposable {
  readonly context: UserExecutionContext;
  /** Monotonic instant of the last event emitted, for idle limits. */
  readonly lastEmitAtMs: number;
  agentStarted(data: EventData<'agent_started'>): Promise<void>;
  agentThinking(data: EventData<'agent_thinking'>): Promise<void>;
  /**
   * Rolled up: goes at once when no delta of its part went in the last 40 ms, else at the end of that
   * window, at 16 KiB, or before any other event of the run. Splits at 16 KiB as JSON writes them, never inside
   * a surrogate pair.
   */
  agentDelta(delta: DeltaInput): Promise<void>;
  toolExecuting(data: EventData<'tool_executing'>): Promise<void>;
  toolProgress(data: EventData<'tool_progress'>): Promise<void>;
  approvalRequired(data: EventData<'approval_required'>): Promise<void>;
  approvalResolved(data: EventData<'approval_resolved'>): Promise<void>;
  toolCompleted(data: EventData<'tool_completed'>): Promise<void>;
  agentError(data: EventData<'agent_error'>): Promise<void>;
  /**
   * Ends the run: flushes, builds the terminal draft, awaits `commit` (the SQL transaction that decides),
   * then appends it and closes the emitter. If `commit` rejects, nothing is appended, this rejects with the
   * same reason, and the run can still be ended. Once `commit` has settled the event is appended even if
   * `close` is called: SQL decides, the log follows. Other emits reject from the call on.
   */
  agentCompleted(
    data: EventData<'agent_completed'>,
    commit?: (terminal: TerminalDraft) => Promise<void>,
  ): Promise<void>;
  /**
   * Settles when every event emitted so far is in the log. Half a surrogate pair at the end of a delta goes
   * with its other half, or with the end of the run.
   */
  flush(): Promise<void>;
  /** Drops what is not yet appended and refuses more, without a terminal event. Idempotent. */
  close(): void;
}

/** Counts. The first four are zero when nobody is connected and nothing runs. */
export interface BridgeStats {
  readonly cursors: number;
  readonly cursorsBehind: number;
  readonly subscriptions: number;
  readonly emitters: number;
  /** Events handed to connections since the start, per connection; a merged one counts as all it covers. */
  readonly eventsSent: number;
  /** Events that clients have acknowledged since the start, counted likewise. */
  readonly eventsAcked: number;
  /** Acks of what was never sent, since the start. */
  readonly acksRejected: number;
  /** Resyncs beyond the limit, since the start. */
  readonly resyncsRejected: number;
}

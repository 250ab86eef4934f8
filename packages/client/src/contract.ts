import type { Clock } from '@runwire/kernel';
import type {
  ClientMessageOf,
  CommandResult,
  Cursor,
  ErrorBody,
  EventType,
  ResetReason,
  RunwireEvent,
  RunwireEventOf,
} from '@runwire/protocol/wire';
import type {
  ClientStorage,
  CommandOutbox,
  PageSignals,
  PendingCommand,
  Unsubscribe,
  WebSocketConstructor,
} from './ports.js';

/** How a client is set up. Only `url` and `getToken` are required. */
export interface ClientOptions {
  /** The server's WebSocket address, `ws(s)://host/ws`; http(s) is accepted and translated. */
  readonly url: string;
  /**
   * An access token. Called for each connection (`connect`), after a 4401 or shortly before the expiry
   * (`refresh`: the application should fetch a new one). A rejection ends the attempt like a failed
   * connection; one with `code: 'UNAUTHENTICATED'` stops the client.
   */
  readonly getToken: (reason: 'connect' | 'refresh') => Promise<string>;
  /**
   * The server could not honour the cursor: load again what is shown. Delivery pauses until it settles; if
   * it rejects, the connection is dropped and the load is tried again with the next one.
   */
  readonly loadSnapshot?: (reason: ResetReason) => Promise<void>;
  /**
   * Where to start: `live` takes what happens from now on (states come from snapshots), `beginning` the
   * whole retained stream. Not used when `storage` has a cursor. @defaultValue 'live'
   */
  readonly start?: 'live' | 'beginning';
  /** Keeps the cursor with the application's state over reloads; never one without the other. */
  readonly storage?: ClientStorage;
  /** Keeps commands without an answer over reloads, with their ids. */
  readonly outbox?: CommandOutbox;
  /** What to do when a handler of `on` or `onEvent` throws. @defaultValue 'stop' */
  readonly onHandlerError?: HandlerErrorPolicy | ((failure: HandlerFailure) => HandlerErrorPolicy);
  /**
   * `websocket`, `sse` (server-sent events and POST, with `fetch`), or `auto`: WebSocket, and server-sent
   * events for the rest of this client's life once they work where WebSockets are blocked.
   * @defaultValue 'auto'
   */
  readonly transport?: 'auto' | TransportKind;
  /** The WebSocket constructor. @defaultValue the global one; Node 20 has none: pass `ws`. */
  readonly webSocket?: WebSocketConstructor;
  /**
   * Asks `GET /ws` why upgrades fail, after two in a row did, and carries server-sent events.
   * @defaultValue the global `fetch`
   */
  readonly fetch?: typeof fetch;
  /** @defaultValue the system clock */
  readonly clock?: Clock;
  /** Uniform in [0, 1). For jitter and command ids. @defaultValue `crypto.getRandomValues` */
  readonly random?: () => number;
  /** Tells of coming back online and of the page being shown again. @defaultValue the page's own events */
  readonly page?: PageSignals;
  /** From the token in hand to `connection_established`; then the attempt is given up. @defaultValue 10 000 */
  readonly connectTimeoutMs?: number;
  /** How long `getToken` may take; then the attempt is given up. @defaultValue 30 000 */
  readonly tokenTimeoutMs?: number;
  /** Connected time after which a command rejects with `COMMAND_UNANSWERED`. @defaultValue 60 000 */
  readonly commandTimeoutMs?: number;
  /** Commands that may wait for an answer; the next rejects with `TOO_MANY_PENDING`. @defaultValue 100 */
  readonly maxPendingCommands?: number;
  /** Events that one `events()` iterator keeps unread before delivery pauses. @defaultValue 1 024 */
  readonly maxBufferedEvents?: number;
}

/** How events come and commands go. */
export type TransportKind = 'websocket' | 'sse';

/**
 * What becomes of an event whose handler threw:
 *
 * - `stop`: the client stops before that event, `resumable`. `connect` goes on with the handler that threw.
 * - `retry`: delivery and acks pause, and the handler is called again after 0.5, 1 and 2 s; then as `stop`.
 * - `skip`: the handler goes without this event; counted in `stats.skipped`.
 */
export type HandlerErrorPolicy = 'stop' | 'retry' | 'skip';

/** A handler that threw. */
export interface HandlerFailure {
  readonly event: RunwireEvent;
  readonly cause: unknown;
  /** Which failure of this event it is: 1, 2 … */
  readonly attempt: number;
}

/** A live, resuming connection to the user's stream. */
export interface RunwireClient extends AsyncDisposable {
  /** Where the connection stands now. */
  readonly state: ClientState;
  /** What the present connection, or the next attempt, uses. */
  readonly transport: TransportKind;
  /** The last event applied; undefined before the first connection. */
  readonly cursor: Cursor | undefined;
  /** Counts so far; a new object at each read. */
  readonly stats: ClientStats;
  /**
   * The server's wall clock now, epoch milliseconds, by its last message that told the time: compare each
   * `…AtMs` with this. The local clock before the first connection.
   */
  serverNowMs(): number;
  /**
   * Connects, and from then on reconnects by itself until `close` or a final close code. Settles with the
   * first `caught_up`; rejects when the client stops before that. A repeated call joins. After a stop whose
   * state is `resumable`, a call starts again.
   * @throws ClientError `CLIENT_STOPPED`, `CLIENT_CLOSED`
   */
  connect(): Promise<void>;
  /**
   * Closes for good. Pending commands reject with `CLIENT_CLOSED`; with an `outbox` they stay in it, and the
   * next client sends them. Idempotent.
   */
  close(): Promise<void>;
  /**
   * Sends a message. The command id is made here and kept over reconnects, so it is done once. Settles with
   * the server's answer, not with the agent's. `COMMAND_PENDING` and `NOT_READY` are tried again until the
   * deadline, `RATE_LIMITED` once when it says after how long; every other rejection is the caller's.
   * @throws ClientError with the server's code, or `CLIENT_CLOSED`, `CLIENT_STOPPED`, `COMMAND_UNANSWERED`,
   * `COMMAND_CANCELLED`, `TOO_MANY_PENDING`; `MESSAGE_TOO_LARGE` without sending
   */
  send(message: SendMessage): Promise<CommandResult<'user_message'>>;
  /** Stops a run. Stopping one that has ended is answered with its status. Settles and throws as `send`. */
  stop(runId: string): Promise<CommandResult<'stop_agent'>>;
  /** Answers an approval request. Settles and throws as `send`. */
  approve(decision: ApprovalDecision): Promise<CommandResult<'resolve_approval'>>;
  /** The commands without an answer, oldest first; another array after each change. */
  readonly pendingCommands: readonly PendingCommand[];
  /** Calls `listener` with each new list of them. */
  onPendingCommands(listener: (commands: readonly PendingCommand[]) => void): Unsubscribe;
  /**
   * Takes back a command that was not sent yet: it rejects with `COMMAND_CANCELLED`. False, and nothing
   * happens, when the server may have it already.
   */
  cancelCommand(id: string): boolean;
  /**
   * Calls `handler` for each event of a type, in order, once. An event is handed to one handler after the
   * other, and the next event comes when all of them had it. `onHandlerError` says what happens when one
   * throws; the promise of an asynchronous one is not waited for.
   */
  on<T extends EventType>(type: T, handler: (event: RunwireEventOf<T>) => void): Unsubscribe;
  /** Calls `handler` for each event, after the handlers of its type. */
  onEvent(handler: (event: RunwireEvent) => void): Unsubscribe;
  /** Calls `listener` with each new state. */
  onState(listener: (state: ClientState) => void): Unsubscribe;
  /** Calls `listener` when the cursor could not be honoured, before `loadSnapshot`. */
  onReset(listener: (reason: ResetReason) => void): Unsubscribe;
  /** Errors that belong to no call: `error` messages, failing handlers and listeners, refused refreshes. */
  onError(listener: (error: ClientProblem) => void): Unsubscribe;
  /**
   * The applied events from this call on, as they come. Ends with `close`, or when iteration stops. A reader
   * that leaves more than `maxBufferedEvents` unread pauses delivery to everybody, and with it the acks, so
   * that the server waits: nothing is dropped. Stop the iteration of one that is no longer read.
   */
  events(): AsyncIterableIterator<RunwireEvent>;
  /**
   * Shows one thread by the snapshot rule (protocol §6): loads its snapshot, holds the thread's events back
   * meanwhile (at most 10,000, else loads again), drops those the snapshot covers, hands on the rest and
   * then the live ones. Loads again after a `reset`, when a callback of the view throws, and when a new
   * connection cannot vouch for a snapshot that is ahead of it: a power loss may have shortened the stream.
   * `close` it with what it returns.
   */
  openThread<S extends { readonly cursor: Cursor }>(view: ThreadView<S>): Unsubscribe;
}

/** What shows a thread. */
export interface ThreadView<S extends { readonly cursor: Cursor }> {
  readonly threadId: string;
  /** Fetches the snapshot (`GET /api/threads/:id`). Retried with growing delays when it rejects. */
  readonly load: () => Promise<S>;
  /** Replaces everything shown. */
  readonly onSnapshot: (snapshot: S) => void;
  /** An event of this thread behind the snapshot, in order. */
  readonly onEvent: (event: RunwireEvent) => void;
  /** A failed load; return false to stop trying. */
  readonly onLoadError?: (error: unknown) => boolean | undefined;
}

/** The answer to an approval request. */
export interface ApprovalDecision {
  readonly runId: string;
  readonly toolCallId: string;
  readonly approved: boolean;
  readonly reason?: string;
}

/** A message to send. */
export type SendMessage = Omit<ClientMessageOf<'user_message'>, 'type' | 'id'>;

/**
 * Where the connection stands, and why. `waiting` has the close code and reason of the connection that ended;
 * `offline` means that the page has no network. `stopped` is final unless `resumable`: then `connect` may be
 * called again, once the user acted (4409), signed in (4401), or a handler is mended (0). Its `code` is a close
 * code, the status of a refused upgrade (400, 403, 404), or 0 when a handler threw.
 */
export type ClientState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting'; readonly attempt: number }
  | { readonly kind: 'replaying'; readonly connectionId: string }
  | { readonly kind: 'live'; readonly connectionId: string }
  | {
      readonly kind: 'waiting';
      readonly attempt: number;
      readonly retryInMs: number;
      readonly closeCode: number;
      readonly reason: string;
    }
  | { readonly kind: 'offline' }
  | { readonly kind: 'stopped'; readonly code: number; readonly reason: string; readonly resumable: boolean };

/** Something that went wrong outside a call. */
export interface ClientProblem {
  /** A `ClientProblemCode`, or a code that the server sent. */
  readonly code: string;
  readonly message: string;
  readonly cause?: unknown;
  /** What the server said. */
  readonly error?: ErrorBody;
  /** The event whose handler threw. */
  readonly event?: RunwireEvent;
  /** The command of an earlier page that was rejected with `cause`: nobody else is told. */
  readonly command?: PendingCommand;
}

/** Counts since the client was made. */
export interface ClientStats {
  /** Events handed to the application. */
  readonly applied: number;
  /** Events received again and dropped. */
  readonly duplicates: number;
  readonly gaps: number;
  readonly resets: number;
  /** Times that a handler went without an event, by the policy `skip`. */
  readonly skipped: number;
  /** Connections established. */
  readonly connections: number;
  readonly acksSent: number;
}

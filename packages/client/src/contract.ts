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
} from '@runwire/protocol';

// ---------------------------------------------------------------------------------------------------------
// Options and ports
// ---------------------------------------------------------------------------------------------------------

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
  /** The WebSocket constructor. @defaultValue the global one; Node 20 has none: pass `ws`. */
  readonly webSocket?: WebSocketConstructor;
  /** Asks `GET /ws` why upgrades fail, after two in a row did. @defaultValue the global `fetch` */
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

/** What {@link ClientStorage} keeps: a cursor is never stored alone. */
export interface SavedState {
  readonly cursor: Cursor;
  readonly state: unknown;
}

/**
 * Stores a cursor together with the state it belongs to. The state must be what the listeners made of the
 * events synchronously: it is read after they ran.
 */
export interface ClientStorage {
  /** Read once, when the client is made. The client takes the cursor; the application restores the state. */
  load(): SavedState | null;
  /** Called at most every 250 ms while events are applied, after a snapshot was loaded, and by `close`. */
  save(saved: SavedState): void;
  /** The application's state as it is now, read when the cursor is saved. */
  state(): unknown;
}

/** What a client listens to of its page. */
export interface PageSignals {
  readonly online: boolean;
  /** Calls `listener` when the page comes online or becomes visible, and when it goes offline. */
  subscribe(listener: (signal: 'online' | 'offline' | 'visible') => void): Unsubscribe;
}

/** The part of the WebSocket interface that a client uses. */
export interface WebSocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  /** Ends a dead connection without waiting for the peer, where the implementation can (`ws`). */
  terminate?(): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
}

/** Makes a WebSocket. The browser's and the one of `ws` fit. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** Undoes one subscription. Repeated calls do nothing. */
export type Unsubscribe = () => void;

// ---------------------------------------------------------------------------------------------------------
// The client
// ---------------------------------------------------------------------------------------------------------

/** A live, resuming connection to the user's stream. */
export interface RunwireClient extends AsyncDisposable {
  /** Where the connection stands now. */
  readonly state: ClientState;
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
  /** Closes for good. Pending commands reject with `CLIENT_CLOSED`. Idempotent. */
  close(): Promise<void>;
  /**
   * Sends a message. The command id is made here and kept over reconnects, so it is done once. Settles with
   * the server's answer, not with the agent's. `COMMAND_PENDING` and `NOT_READY` are tried again until the
   * deadline, `RATE_LIMITED` once when it says after how long; every other rejection is the caller's.
   * @throws ClientError with the server's code, or `CLIENT_CLOSED`, `CLIENT_STOPPED`, `COMMAND_UNANSWERED`,
   * `TOO_MANY_PENDING`; `MESSAGE_TOO_LARGE` without sending
   */
  send(message: SendMessage): Promise<CommandResult<'user_message'>>;
  /** Stops a run. Stopping one that has ended is answered with its status. Settles and throws as `send`. */
  stop(runId: string): Promise<CommandResult<'stop_agent'>>;
  /** Answers an approval request. Settles and throws as `send`. */
  approve(decision: ApprovalDecision): Promise<CommandResult<'resolve_approval'>>;
  /**
   * Calls `listener` for each applied event of a type, in order, once. A listener that throws is reported to
   * `onError` listeners and does not stop delivery.
   */
  on<T extends EventType>(type: T, listener: (event: RunwireEventOf<T>) => void): Unsubscribe;
  /** Calls `listener` for each applied event, after the listeners of its type. */
  onEvent(listener: (event: RunwireEvent) => void): Unsubscribe;
  /** Calls `listener` with each new state. */
  onState(listener: (state: ClientState) => void): Unsubscribe;
  /** Calls `listener` when the cursor could not be honoured, before `loadSnapshot`. */
  onReset(listener: (reason: ResetReason) => void): Unsubscribe;
  /** Errors that belong to no call: `error` messages, failing listeners, refused refreshes. */
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
   * then the live ones. Loads again after a `reset`. `close` it with what it returns.
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
 * Where the connection stands. `closed` is final unless `resumable`: then `connect` may be called again, once
 * the user acted (4409) or signed in (4401). `code` is a close code, or the status of a refused upgrade (400,
 * 403, 404).
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
    }
  | { readonly kind: 'offline' }
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string; readonly resumable: boolean };

/** Something that went wrong outside a call. */
export interface ClientProblem {
  /** A `ClientProblemCode`, or a code that the server sent. */
  readonly code: string;
  readonly message: string;
  readonly cause?: unknown;
  /** What the server said. */
  readonly error?: ErrorBody;
}

/** Counts since the client was made. */
export interface ClientStats {
  /** Events handed to the application. */
  readonly applied: number;
  /** Events received again and dropped. */
  readonly duplicates: number;
  readonly gaps: number;
  readonly resets: number;
  /** Connections established. */
  readonly connections: number;
  readonly acksSent: number;
}

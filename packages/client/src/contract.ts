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
   * whole retained stream. Not used when `storage` has a cursor. @default 'live'
   */
  readonly start?: 'live' | 'beginning';
  /** Keeps the cursor with the application's state over reloads; never one without the other. */
  readonly storage?: ClientStorage;
  /** The WebSocket constructor. @default the global one; Node 20 has none: pass `ws`. */
  readonly webSocket?: WebSocketConstructor;
  /** Asks `GET /ws` why upgrades fail. @default the global `fetch` */
  readonly fetch?: typeof fetch;
  /** @default the system clock */
  readonly clock?: Clock;
  /** Uniform in [0, 1). For jitter and command ids. @default `crypto.getRandomValues` */
  readonly random?: () => number;
  /** Tells of coming back online and of the page being shown again. @default the page's own events */
  readonly page?: PageSignals;
}

/** Stores a cursor together with the state it belongs to. */
export interface ClientStorage {
  load(): { readonly cursor: Cursor; readonly state: unknown } | null;
  save(saved: { readonly cursor: Cursor; readonly state: unknown }): void;
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
  readonly state: ClientState;
  /** The last event applied; undefined before the first connection. */
  readonly cursor: Cursor | undefined;
  readonly stats: ClientStats;
  /**
   * Connects, and from then on reconnects by itself until `close` or a final close code. Settles with the
   * first `caught_up`; rejects when the client stops before that. A repeated call joins.
   */
  connect(): Promise<void>;
  /** Closes for good. Pending commands reject with `CLIENT_CLOSED`. Idempotent. */
  close(): Promise<void>;
  /**
   * Sends a message. The command id is made here and kept over reconnects, so it is done once. Settles with
   * the server's answer, not with the agent's.
   * @throws ClientError with the server's code, or `CLIENT_CLOSED`, `COMMAND_UNANSWERED`
   */
  send(message: SendMessage): Promise<CommandResult<'user_message'>>;
  /** Stops a run. Stopping one that has ended is answered with its status. */
  stop(runId: string): Promise<CommandResult<'stop_agent'>>;
  /** Answers an approval request. */
  approve(decision: {
    readonly runId: string;
    readonly toolCallId: string;
    readonly approved: boolean;
    readonly reason?: string;
  }): Promise<CommandResult<'resolve_approval'>>;
  /**
   * Calls `listener` for each applied event of a type, in order, once. A listener that throws is reported to
   * `onError` listeners and does not stop delivery.
   */
  on<T extends EventType>(type: T, listener: (event: RunwireEventOf<T>) => void): Unsubscribe;
  onEvent(listener: (event: RunwireEvent) => void): Unsubscribe;
  onState(listener: (state: ClientState) => void): Unsubscribe;
  onReset(listener: (reason: ResetReason) => void): Unsubscribe;
  /** Errors that belong to no call: `error` messages, failing listeners, refused refreshes. */
  onError(listener: (error: ClientProblem) => void): Unsubscribe;
  /** The applied events as they come. Ends with `close`, or when iteration stops. */
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

/** A message to send. */
export type SendMessage = Omit<ClientMessageOf<'user_message'>, 'type' | 'id'>;

/** Where the connection stands. */
export type ClientState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting'; readonly attempt: number }
  | { readonly kind: 'replaying'; readonly connectionId: string }
  | { readonly kind: 'live'; readonly connectionId: string }
  | { readonly kind: 'waiting'; readonly attempt: number; readonly retryInMs: number; readonly closeCode: number }
  | { readonly kind: 'offline' }
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string; readonly resumable: boolean };

/** Something that went wrong outside a call. */
export interface ClientProblem {
  readonly code: string;
  readonly message: string;
  readonly cause?: unknown;
  readonly error?: ErrorBody;
}

/** Counts since the client was made. */
export interface ClientStats {
  readonly applied: number;
  readonly duplicates: number;
  readonly gaps: number;
  readonly resets: number;
  readonly connections: number;
  readonly acksSent: number;
}

import type { ClientMessageOf, Cursor } from '@runwire/protocol/wire';

/** Undoes one subscription. Repeated calls do nothing. */
export type Unsubscribe = () => void;

/** What {@link ClientStorage} keeps: a cursor is never stored alone. */
export interface SavedState {
  readonly cursor: Cursor;
  readonly state: unknown;
}

/**
 * Stores a cursor together with the state it belongs to. The state must be what the handlers made of the
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

/** A command as a client sends it, without its id. */
export type SentCommand = ClientMessageOf<'user_message' | 'stop_agent' | 'resolve_approval'>;

/** A command without an answer yet. Plain JSON, never changed: a new object takes its place. */
export interface PendingCommand {
  /** It keeps this id over reconnects and reloads, so that it is done once. */
  readonly id: string;
  readonly message: SentCommand;
  /**
   * When it was first handed to a connection, by the local wall clock. Absent: the server cannot have it, and
   * it can be cancelled.
   */
  readonly sentAtMs?: number;
}

/** Keeps the commands without an answer over reloads, for one user. */
export interface CommandOutbox {
  /** Read once, when the client is made: what was saved last. Those beyond `maxPendingCommands` are left out. */
  load(): readonly PendingCommand[] | null;
  /** Called with all of them, oldest first, whenever one comes, is sent, or is answered; not by `close`. */
  save(commands: readonly PendingCommand[]): void;
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

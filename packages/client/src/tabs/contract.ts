import type { Clock } from '@runwire/kernel';
import type { WebSocketConstructor } from '../ports.js';

/** The part of Web Locks that is used. `navigator.locks` fits. */
export interface TabLocks {
  /**
   * Calls `held` when no other tab has the lock of this name any more; it is given back when the promise of
   * `held` settles, or with the tab. Rejects when `signal` aborts while it waits.
   */
  request(
    name: string,
    options: { readonly signal: AbortSignal },
    held: () => Promise<void>,
  ): Promise<unknown>;
}

/** The part of BroadcastChannel that is used: to all others with the same name, in order. */
export interface TabChannel {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  close(): void;
}

/** How tabs share a connection. */
export interface TabSocketOptions {
  /**
   * Who is signed in in this tab. Tabs of different users never share: the id is part of the names of locks and
   * channels, and compared with what the server says of a connection before anything of it is passed on.
   */
  readonly userId: string;
  /** Tells applications of one origin apart. @defaultValue 'runwire' */
  readonly name?: string;
  /** @defaultValue `navigator.locks`; without it each tab has a connection of its own */
  readonly locks?: TabLocks;
  /** Opens a channel. @defaultValue `BroadcastChannel`; without it each tab has a connection of its own */
  readonly channel?: (name: string) => TabChannel;
  /** Makes the connection. @defaultValue the global `WebSocket` */
  readonly webSocket?: WebSocketConstructor;
  /** @defaultValue the system clock */
  readonly clock?: Clock;
  /** Uniform in [0, 1). @defaultValue `crypto.getRandomValues` */
  readonly random?: () => number;
  /** How long a tab waits for the leader's first answer before it connects by itself. @defaultValue 2 000 */
  readonly joinTimeoutMs?: number;
  /**
   * UTF-16 units of recent events that a tab keeps to bring others up to date. One that is further behind
   * connects by itself. @defaultValue 1 048 576
   */
  readonly maxHistoryChars?: number;
}

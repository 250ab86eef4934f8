/**
 * What a connection needs of its transport: a WebSocket, or a stream whose peer answers by requests. What the
 * transport's own protocol wants answered (pings, the peer's close, broken frames) it answers by itself.
 */
export interface Socket {
  /** False as soon as a close has begun, from either side. */
  readonly isOpen: boolean;
  /** Bytes accepted and not yet handed to the kernel. */
  readonly bufferedBytes: number;
  /** Begins to read. Called once, before anything else. */
  start(events: SocketEvents): void;
  /** Writes text frames together. The bytes are not changed and may be shared. */
  send(frames: readonly Uint8Array[]): void;
  /** Something for the peer to hear when there is nothing to say. Its answer, if the transport has one, is `control`. */
  ping(): void;
  /** Tells the peer that and why the connection ends, and ends it. `reason` is at most 123 bytes. */
  close(code: number, reason: string): void;
  /** Ends the socket without a word. `closed` follows. */
  destroy(): void;
  /** Closes with `code` on a message above `maxBytes`, before it is read whole. Posts have limits of their own. */
  limitMessageBytes(maxBytes: number, code: number): void;
}

/** What a socket tells. Never called from within a call to the socket. */
export interface SocketEvents {
  /** A text message, and its size in UTF-8 bytes. */
  text(text: string, bytes: number): void;
  /** A binary message. */
  binary(): void;
  /** A ping (answered already) or a pong. */
  control(): void;
  /** Something that was sent is with the kernel now. */
  flushed(): void;
  /** A close has begun that `close` did not begin. */
  closing(close: {
    readonly code: number;
    readonly reason: string;
    readonly initiator: 'server' | 'peer';
  }): void;
  /** The socket is gone; the last event. The code is the peer's, 1006 without one. */
  closed(code: number, reason: string): void;
}

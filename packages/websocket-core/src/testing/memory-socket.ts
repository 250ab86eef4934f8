import { decodeServerFrame, type ServerMessage } from '@runwire/protocol';
import type { Socket, SocketEvents } from '../socket.js';

/** What a peer in memory was told when its socket ended. */
export interface PeerClose {
  /** The server's close code, 1006 when the socket was destroyed. */
  readonly code: number;
  readonly reason: string;
}

/** The client's end of a socket in memory. */
export interface MemoryPeer {
  /** Text frames received, in order. What is not read yet is not here. */
  readonly frames: readonly string[];
  /** The messages of those frames, batches resolved; throws for a frame that the protocol does not have. */
  readonly messages: readonly ServerMessage[];
  /** Pings received. */
  readonly pings: number;
  /** How the server ended the socket; undefined while it is open or when the peer ended it. */
  readonly closedWith: PeerClose | undefined;
  /** Sends a text frame: a string as it is, anything else as JSON. */
  send(message: unknown): void;
  sendBinary(): void;
  /** A ping or pong of the WebSocket protocol. */
  sendControl(): void;
  /** Closes; the server answers by itself. */
  end(code?: number, reason?: string): void;
  /** The connection breaks and the server notices, as on a TCP reset. */
  vanish(): void;
  /** From here on nothing arrives in either direction, and nobody is told. */
  blackHole(): void;
  /** Stops reading: what is sent from here on stays in the server's buffer. */
  pauseReading(): void;
  /** Reads what was buffered, and goes on. */
  resumeReading(): void;
  /** Whether this peer answers a close of the server. True until it is set to false. */
  answersClose: boolean;
}

/** A socket and its peer, linked without a network. The peer's answer to a close takes one microtask. */
export function createMemorySocket(): { readonly socket: Socket; readonly peer: MemoryPeer } {
  const link = new MemoryLink();
  return { socket: link, peer: peerOf(link) };
}

const ABNORMAL = 1006;

class MemoryLink implements Socket {
  answersClose = true;
  readonly #frames: string[] = [];
  #unread: Uint8Array[] = [];
  #bufferedBytes = 0;
  #pings = 0;
  #reading = true;
  #reachable = true;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #close: PeerClose | undefined;
  #limit = { maxBytes: Number.POSITIVE_INFINITY, code: 1009 };
  #events: SocketEvents | undefined;

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  start(events: SocketEvents): void {
    this.#events = events;
  }

  send(frames: readonly Uint8Array[]): void {
    if (!this.isOpen) return;
    if (this.#reading && this.#reachable) for (const frame of frames) this.#deliver(frame);
    else {
      this.#unread.push(...frames);
      for (const frame of frames) this.#bufferedBytes += frame.byteLength;
    }
  }

  ping(): void {
    if (this.#reachable) this.#pings += 1;
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.#state = 'closing';
    if (!this.#reachable) return;
    this.#close = { code, reason };
    if (this.answersClose) queueMicrotask(() => this.gone(code, reason));
  }

  destroy(): void {
    if (this.#state === 'closed') return;
    this.#close ??= { code: ABNORMAL, reason: '' };
    this.#state = 'closing';
    queueMicrotask(() => this.gone(ABNORMAL, ''));
  }

  limitMessageBytes(maxBytes: number, code: number): void {
    this.#limit = { maxBytes, code };
  }

  get frames(): readonly string[] {
    return this.#frames;
  }

  get pings(): number {
    return this.#pings;
  }

  get closedWith(): PeerClose | undefined {
    return this.#close;
  }

  blackHole(): void {
    this.#reachable = false;
  }

  pause(): void {
    this.#reading = false;
  }

  receive(text: string): void {
    const bytes = Buffer.byteLength(text);
    const { code, maxBytes } = this.#limit;
    this.whenReachable((events) => {
      if (bytes <= maxBytes) events.text(text, bytes);
      else if (this.isOpen) {
        this.close(code, '');
        events.closing({ code, reason: '', initiator: 'server' });
      }
    });
  }

  whenReachable(tell: (events: SocketEvents) => void): void {
    if (this.#reachable && this.#state !== 'closed' && this.#events !== undefined) tell(this.#events);
  }

  peerEnds(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.whenReachable((events) => {
      this.#state = 'closing';
      events.closing({ code, reason, initiator: 'peer' });
      queueMicrotask(() => this.gone(code, reason));
    });
  }

  gone(code: number, reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#unread = [];
    this.#bufferedBytes = 0;
    this.#events?.closed(code, reason);
  }

  resume(): void {
    this.#reading = true;
    const unread = this.#unread;
    this.#unread = [];
    this.#bufferedBytes = 0;
    for (const frame of unread) this.#deliver(frame);
    if (unread.length > 0) this.whenReachable((events) => events.flushed());
  }

  #deliver(frame: Uint8Array): void {
    this.#frames.push(Buffer.from(frame).toString('utf8'));
  }
}

function peerOf(link: MemoryLink): MemoryPeer {
  return {
    get frames() {
      return link.frames;
    },
    get messages() {
      return link.frames.flatMap((frame) => decodeServerFrame(frame));
    },
    get pings() {
      return link.pings;
    },
    get closedWith() {
      return link.closedWith;
    },
    get answersClose() {
      return link.answersClose;
    },
    set answersClose(answers) {
      link.answersClose = answers;
    },
    send: (message) => link.receive(typeof message === 'string' ? message : JSON.stringify(message)),
    sendBinary: () => link.whenReachable((events) => events.binary()),
    sendControl: () => link.whenReachable((events) => events.control()),
    end: (code = 1000, reason = '') => link.peerEnds(code, reason),
    vanish: () => link.gone(ABNORMAL, ''),
    blackHole: () => link.blackHole(),
    pauseReading: () => link.pause(),
    resumeReading: () => link.resume(),
  };
}

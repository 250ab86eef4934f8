import type { SocketEvents } from '@runwire/websocket-core/testing';
import type { EndWire, ServerSide } from './connection.js';
import { closeFrame, controlFrame, OPEN_FRAME, textFrame } from './frames.js';
import type { WireFrame } from './pipe.js';

const ABNORMAL = 1006;
const decoder = new TextDecoder();

/**
 * The server's end of a simulated WebSocket: what `ws` does, told through the port of `websocket-core`. It answers
 * pings and closes by itself, and is gone when both directions of the stream have ended.
 */
export class ServerEnd implements ServerSide {
  readonly #wire: EndWire;
  /** Looks at what was just sent. */
  readonly #sent: (frames: readonly Uint8Array[]) => void;
  #events: SocketEvents | undefined;
  #state: 'open' | 'closing' | 'closed' = 'open';
  /** The code of the peer's close frame. */
  #peerClose: { readonly code: number; readonly reason: string } | undefined;
  #limit = { maxBytes: Number.POSITIVE_INFINITY, code: 1009 };

  constructor(wire: EndWire, sent: (frames: readonly Uint8Array[]) => void) {
    this.#wire = wire;
    this.#sent = sent;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Nothing of it is left in its process. */
  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  get bufferedBytes(): number {
    return this.#state === 'closed' ? 0 : this.#wire.bufferedBytes;
  }

  start(events: SocketEvents): void {
    this.#events = events;
    this.#wire.write([OPEN_FRAME]);
  }

  send(frames: readonly Uint8Array[]): void {
    if (this.#state !== 'open') return;
    this.#wire.write(frames.map((frame) => textFrame(decoder.decode(frame), 'server', frame.byteLength)));
    this.#sent(frames);
  }

  ping(): void {
    if (this.#state === 'open') this.#wire.write([controlFrame('ping', 'server')]);
  }

  close(code: number, reason: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#wire.write([closeFrame(code, reason, 'server')]);
  }

  destroy(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closing';
    this.#wire.end('rst');
    this.#wire.later(0, 'socket destroyed', () => this.#gone());
  }

  limitMessageBytes(maxBytes: number, code: number): void {
    this.#limit = { maxBytes, code };
  }

  /** The process is gone, and nobody is told. */
  vanish(): void {
    this.#state = 'closed';
    this.#events = undefined;
  }

  received(frame: WireFrame): void {
    if (this.#state === 'closed') return;
    if (frame.kind === 'text') this.#text(frame);
    else if (frame.kind === 'close') this.#closeReceived(frame);
    else {
      if (frame.kind === 'ping') this.#wire.write([controlFrame('pong', 'server')]);
      this.#events?.control();
    }
  }

  /** The stream from the client has ended. */
  ended(how: 'fin' | 'rst'): void {
    if (this.#state === 'closed') return;
    if (how === 'fin' && this.#state === 'open') {
      this.#state = 'closing';
      this.#events?.closing({ code: ABNORMAL, reason: '', initiator: 'peer' });
    }
    this.#wire.end(how);
    this.#wire.later(0, 'socket closed', () => this.#gone());
  }

  flushed(): void {
    if (this.#state !== 'closed') this.#events?.flushed();
  }

  #text({ text, bytes }: WireFrame): void {
    const { code, maxBytes } = this.#limit;
    if (bytes <= maxBytes) {
      this.#events?.text(text, Buffer.byteLength(text));
    } else if (this.#state === 'open') {
      this.close(code, '');
      this.#events?.closing({ code, reason: '', initiator: 'server' });
    }
  }

  #closeReceived({ code = ABNORMAL, text: reason }: WireFrame): void {
    this.#peerClose ??= { code, reason };
    if (this.#state === 'open') {
      this.#state = 'closing';
      this.#wire.write([closeFrame(code, reason, 'server')]);
      this.#events?.closing({ code, reason, initiator: 'peer' });
    }
    // Both have said that they close: a server ends the stream first.
    this.#wire.end('fin');
  }

  #gone(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    const { code, reason } = this.#peerClose ?? { code: ABNORMAL, reason: '' };
    this.#events?.closed(code, reason);
  }
}

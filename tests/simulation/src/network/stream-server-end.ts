import type { SocketEvents } from '@runwire/websocket-core/testing';
import type { EndWire, ServerSide } from './connection.js';
import { answerFrame, chunkFrame, OPEN_FRAME } from './frames.js';

const ABNORMAL = 1006;
const UNAUTHENTICATED = 4401;
const decoder = new TextDecoder();

/**
 * The server's end of a simulated stream of server-sent events: what the adapter of `websocket-core` does with an HTTP
 * response. The response begins with what is sent first, so that a token that is refused is answered with a status.
 */
export class StreamServerEnd implements ServerSide {
  readonly #wire: EndWire;
  readonly #sent: (frames: readonly Uint8Array[]) => void;
  #events: SocketEvents | undefined;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #hasBegun = false;

  constructor(wire: EndWire, sent: (frames: readonly Uint8Array[]) => void) {
    this.#wire = wire;
    this.#sent = sent;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  get bufferedBytes(): number {
    return this.isClosed ? 0 : this.#wire.bufferedBytes;
  }

  start(events: SocketEvents): void {
    this.#events = events;
  }

  send(frames: readonly Uint8Array[]): void {
    if (!this.isOpen) return;
    this.#write(frames.map((frame) => `data: ${decoder.decode(frame)}\n\n`));
    this.#sent(frames);
  }

  ping(): void {
    if (this.isOpen) this.#write([':\n\n']);
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.#state = 'closing';
    if (code === UNAUTHENTICATED && !this.#hasBegun) {
      this.#wire.write([answerFrame({ status: 401, headers: {}, body: '' })]);
    } else {
      this.#write([`event: close\ndata: ${JSON.stringify({ code, reason })}\n\n`]);
    }
    this.#wire.end('fin');
  }

  destroy(): void {
    if (this.isClosed) return;
    this.#state = 'closing';
    this.#wire.end('rst');
    this.#wire.later(0, 'stream destroyed', () => this.#gone());
  }

  /** A post comes whole, and is bounded by whoever reads it. */
  limitMessageBytes(): void {}

  vanish(): void {
    this.#state = 'closed';
    this.#events = undefined;
  }

  received(): void {}

  ended(how: 'fin' | 'rst'): void {
    if (this.isClosed) return;
    if (how === 'fin' && this.#state === 'open') {
      this.#state = 'closing';
      this.#events?.closing({ code: ABNORMAL, reason: '', initiator: 'peer' });
    }
    this.#wire.end(how);
    this.#wire.later(0, 'stream closed', () => this.#gone());
  }

  flushed(): void {
    if (!this.isClosed) this.#events?.flushed();
  }

  #write(texts: readonly string[]): void {
    if (!this.#hasBegun) this.#wire.write([OPEN_FRAME]);
    this.#hasBegun = true;
    this.#wire.write(texts.map(chunkFrame));
  }

  #gone(): void {
    if (this.isClosed) return;
    this.#state = 'closed';
    this.#events?.closed(ABNORMAL, '');
  }
}

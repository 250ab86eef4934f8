import type { IncomingMessage, ServerResponse } from 'node:http';
import { EventIds } from '../event-id.js';
import type { Socket, SocketEvents } from '../socket.js';
import { unauthenticatedAnswer } from '../upgrade.js';

const ABNORMAL = 1006;
const UNAUTHENTICATED = 4401;
const OK = 200;
const HEADERS = Object.freeze({
  'content-type': 'text/event-stream',
  // A cache, a compressing or a buffering proxy on the way would keep events back.
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
});
/** Server-sent events have no ping. A comment is nothing to whoever reads them, and something to the network. */
const PING = ':\n\n';

/**
 * One HTTP response as a connection: each frame is one server-sent event (protocol §8). It begins with the first
 * of them, so that a token that is refused can still be answered with a status.
 */
export class SseSocket implements Socket {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #ids = new EventIds();
  #ending = false;
  #flushed: (() => void) | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
  }

  get isOpen(): boolean {
    return !this.#ending && !this.#response.destroyed;
  }

  get bufferedBytes(): number {
    return this.#response.writableLength;
  }

  start(events: SocketEvents): void {
    const response = this.#response;
    const { socket } = this.#request;
    // `close` follows each error and says what there is to say.
    response.on('error', () => {});
    const onEnd = (): void => {
      // Node ends its side too, but only behind all that a peer who is not reading leaves unread.
      if (!this.isOpen) return;
      this.#ending = true;
      events.closing({ code: ABNORMAL, reason: '', initiator: 'peer' });
    };
    socket.once('end', onEnd);
    this.#flushed = () => events.flushed();
    response.once('close', () => {
      this.#ending = true;
      this.#flushed = undefined;
      socket.removeListener('end', onEnd);
      events.closed(ABNORMAL, '');
    });
  }

  send(frames: readonly Uint8Array[]): void {
    const response = this.#begun();
    const last = frames.length - 1;
    response.cork();
    frames.forEach((frame, index) => {
      const id = this.#ids.of(frame);
      response.write(id === undefined ? 'data: ' : `id: ${id}\ndata: `);
      response.write(frame);
      if (index === last) response.write('\n\n', () => this.#flushed?.());
      else response.write('\n\n');
    });
    response.uncork();
  }

  ping(): void {
    this.#begun().write(PING);
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.#ending = true;
    if (code === UNAUTHENTICATED && !this.#response.headersSent) {
      const { body, headers, status } = unauthenticatedAnswer(reason);
      this.#response.writeHead(status, headers).end(body);
    } else {
      this.#begun().end(`event: close\ndata: ${JSON.stringify({ code, reason })}\n\n`);
    }
  }

  destroy(): void {
    this.#ending = true;
    this.#response.destroy();
  }

  /** A post comes whole, and is bounded by whoever read it. */
  limitMessageBytes(): void {}

  #begun(): ServerResponse {
    return this.#response.headersSent ? this.#response : this.#response.writeHead(OK, HEADERS);
  }
}

// Written from PROTOCOL.md alone: a WebSocket, JSON, and the client's rule. No package of the project is used.
import { WebSocket } from 'ws';
import { BareConnection, type BareCursor } from './bare-connection.js';

export { type BareMessage, textOf } from './bare-connection.js';

/** How a bare client connects. */
export interface BareOptions {
  readonly token?: string;
  /** How the token travels. @default 'header' */
  readonly tokenIn?: 'header' | 'subprotocol' | 'frame';
  readonly resume?: Partial<BareCursor>;
  /** Acknowledges every frame. @default true */
  readonly acks?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
  /** Where to, when not straight to the harness's server: a proxy of the test's own. */
  readonly url?: string;
}

/** One WebSocket. */
export class BareClient extends BareConnection {
  readonly socket: WebSocket;
  readonly #acks: boolean;

  constructor(url: string, options: BareOptions) {
    super();
    this.#acks = options.acks ?? true;
    const token = options.token ?? '';
    const tokenIn = options.tokenIn ?? 'header';
    const address = new URL('/ws', url.replace('http', 'ws'));
    if (tokenIn !== 'frame') {
      for (const [key, value] of Object.entries(options.resume ?? {}))
        address.searchParams.set(key, String(value));
    }
    const bearer = `bearer.${Buffer.from(token).toString('base64url')}`;
    const protocols = [
      ...(options.protocols ?? ['runwire.v1']),
      ...(tokenIn === 'subprotocol' ? [bearer] : []),
    ];
    this.socket = new WebSocket(address, protocols, {
      perMessageDeflate: false,
      headers: {
        ...options.headers,
        ...(tokenIn === 'header' && token !== '' ? { authorization: `Bearer ${token}` } : {}),
      },
    });
    this.socket.on('open', () => {
      if (tokenIn !== 'frame' || token === '') return;
      this.send({
        type: 'authenticate',
        token,
        ...(options.resume === undefined ? {} : { resume: options.resume }),
      });
    });
    this.socket.on('message', (data: Buffer) => this.#frame(data.toString()));
    this.socket.on('close', (code, reason) => this.end({ code, reason: reason.toString() }));
    this.socket.on('error', () => undefined);
  }

  send(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  cut(): void {
    this.socket.terminate();
  }

  close(): void {
    this.socket.close(1000);
  }

  pauseReading(): void {
    this.socket.pause();
  }

  resumeReading(): void {
    this.socket.resume();
  }

  #frame(text: string): void {
    const applied = this.receive(text);
    if (this.#acks && applied && this.socket.readyState === WebSocket.OPEN) {
      this.send({ type: 'ack', seq: this.cursor.seq });
    }
  }
}

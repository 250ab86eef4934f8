import type { WebSocketConstructor, WebSocketLike } from '../../src/index.js';
import type { ServerEnd } from './fake-connection.js';

type Listener = (event: { data: unknown; code: number; reason: string }) => void;

/** What a socket needs of its server. */
export interface SocketServer {
  accept(end: ServerEnd): void;
  receive(end: ServerEnd, data: string): void;
  ended(end: ServerEnd): void;
}

/** A WebSocket whose other end is a server in memory. */
class FakeSocket implements WebSocketLike, ServerEnd {
  readonly url: string;
  readonly protocols: string[];
  readyState = 0;
  terminated = false;
  readonly #listeners = new Map<string, Listener[]>();
  readonly #server: SocketServer;

  constructor(server: SocketServer, url: string, protocols: string[]) {
    this.#server = server;
    this.url = url;
    this.protocols = protocols;
    queueMicrotask(() => server.accept(this));
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener as Listener]);
  }

  send(data: string): void {
    if (this.readyState !== 1) throw new Error('The socket is not open.');
    this.#server.receive(this, data);
  }

  close(code?: number): void {
    if (code !== undefined && code !== 1000 && (code < 3000 || code > 4999))
      throw new Error('InvalidAccessError');
    if (this.readyState > 1) return;
    this.readyState = 2;
    queueMicrotask(() => this.end(code ?? 1005, ''));
  }

  terminate(): void {
    this.terminated = true;
    this.close();
  }

  opens(): void {
    if (this.readyState !== 0) return;
    this.readyState = 1;
    this.#emit('open', {});
  }

  arrive(data: unknown): void {
    if (this.readyState === 1) this.#emit('message', { data });
  }

  end(code: number, reason: string): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#server.ended(this);
    this.#emit('close', { code, reason });
  }

  #emit(type: string, event: Partial<Parameters<Listener>[0]>): void {
    for (const listener of this.#listeners.get(type) ?? []) {
      listener({ data: undefined, code: 0, reason: '', ...event });
    }
  }
}

/** Creates the constructor of sockets that end at `server`. */
export function socketsOf(server: SocketServer): WebSocketConstructor {
  return class extends FakeSocket {
    constructor(url: string, protocols: string[]) {
      super(server, url, protocols);
    }
  };
}

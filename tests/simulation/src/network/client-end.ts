import type { WebSocketLike } from '@runwire/client';
import type { ClientSide, EndWire } from './connection.js';
import { closeFrame, controlFrame, textFrame } from './frames.js';
import type { WireFrame } from './pipe.js';

const ABNORMAL = 1006;
const GOING_AWAY = 1001;
/** A page gives up waiting for the answer to its close. */
const CLOSE_TIMEOUT_MS = 4_000;

type Listener = (
  event: { readonly data: unknown } & { readonly code: number; readonly reason: string },
) => void;

/**
 * The client's end of a simulated WebSocket: what a page sees. Events come in their own steps, `close` last; nothing
 * is received once a close has begun.
 */
export class ClientEnd implements ClientSide, WebSocketLike {
  readonly #wire: EndWire;
  readonly #listeners = new Map<string, Listener[]>();
  #readyState = 0;
  #close: { readonly code: number; readonly reason: string } | undefined;

  constructor(wire: EndWire) {
    this.#wire = wire;
  }

  get readyState(): number {
    return this.#readyState;
  }

  send(data: string): void {
    if (this.#readyState === 0) throw new Error('InvalidStateError: the socket is connecting.');
    if (this.#readyState === 1) this.#wire.write([textFrame(data, 'client')]);
  }

  close(code = 1000, reason = ''): void {
    if (this.#readyState >= 2) return;
    const wasOpen = this.#readyState === 1;
    this.#readyState = 2;
    if (wasOpen) this.#wire.write([closeFrame(code, reason, 'client')]);
    else this.#wire.end('rst');
    this.#wire.later(wasOpen ? CLOSE_TIMEOUT_MS : 0, 'socket given up', () => this.#gone('rst'));
  }

  /** Ends the stream without a word. */
  drop(): void {
    if (this.#readyState === 3) return;
    this.#readyState = 2;
    this.#wire.end('rst');
    this.#wire.later(0, 'socket dropped', () => this.#gone('rst'));
  }

  addEventListener(type: string, listener: Listener | (() => void)): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  get isWaiting(): boolean {
    return this.#readyState === 0;
  }

  get isClosed(): boolean {
    return this.#readyState === 3;
  }

  vanish(goodbye: boolean): void {
    if (goodbye && this.#readyState === 1) this.#wire.write([closeFrame(GOING_AWAY, '', 'client')]);
    this.#readyState = 3;
  }

  received(frame: WireFrame): void {
    if (this.#readyState === 3) return;
    switch (frame.kind) {
      case 'open':
        if (this.#readyState !== 0) return;
        this.#readyState = 1;
        this.#tell('open', {});
        return;
      case 'text':
        if (this.#readyState === 1) this.#tell('message', { data: frame.text });
        return;
      case 'ping':
        if (this.#readyState === 1) this.#wire.write([controlFrame('pong', 'client')]);
        return;
      case 'pong':
        return;
      case 'close':
        this.#close ??= { code: frame.code ?? ABNORMAL, reason: frame.text };
        if (this.#readyState === 1) this.#wire.write([closeFrame(this.#close.code, '', 'client')]);
        this.#readyState = 2;
    }
  }

  ended(how: 'fin' | 'rst'): void {
    this.#gone(how);
  }

  refused(): void {
    this.#gone('rst');
  }

  #gone(how: 'fin' | 'rst'): void {
    if (this.#readyState === 3) return;
    this.#readyState = 3;
    this.#wire.end(how);
    const { code, reason } = this.#close ?? { code: ABNORMAL, reason: '' };
    if (this.#close === undefined) this.#tell('error', {});
    this.#tell('close', { code, reason });
  }

  #tell(
    type: string,
    fields: { readonly data?: unknown; readonly code?: number; readonly reason?: string },
  ): void {
    const event = { data: undefined, code: 0, reason: '', ...fields };
    for (const listener of this.#listeners.get(type) ?? []) listener(event);
  }
}

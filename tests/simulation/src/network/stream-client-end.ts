import { createDeferred, type Deferred } from '@runwire/kernel';
import type { UpgradeAnswer } from '@runwire/websocket-core';
import type { ClientSide, EndWire } from './connection.js';
import type { WireFrame } from './pipe.js';

type Part =
  | { readonly done: false; readonly value: Uint8Array }
  | { readonly done: true; readonly value?: undefined };

const END: Part = { done: true };
const encoder = new TextEncoder();

/**
 * The client's end of a simulated stream of server-sent events: what `fetch` gives a page. Its parts are cut without
 * regard to what is in them.
 */
export class StreamClientEnd implements ClientSide {
  readonly #wire: EndWire;
  readonly #response = createDeferred<Response>();
  readonly #parts: Part[] = [];
  #read: Deferred<Part> | undefined;
  #failure: Error | undefined;
  #isClosed = false;

  constructor(wire: EndWire) {
    this.#wire = wire;
  }

  get isWaiting(): boolean {
    return this.#response.pending && !this.#isClosed;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** What `fetch` settles to. */
  fetched(signal: AbortSignal): Promise<Response> {
    signal.addEventListener('abort', () => {
      this.#wire.end('rst');
      this.#fail('the request was aborted');
    });
    return this.#response.promise;
  }

  received({ kind, text }: WireFrame): void {
    if (this.#isClosed) return;
    if (kind === 'open') this.#answered(text);
    else for (const value of cutInTwo(encoder.encode(text))) this.#give({ done: false, value });
  }

  ended(how: 'fin' | 'rst'): void {
    if (this.#isClosed) return;
    this.#wire.end(how);
    if (how === 'rst' || this.#response.pending) {
      this.#fail('the connection was reset');
      return;
    }
    this.#isClosed = true;
    this.#give(END);
  }

  refused(answer: UpgradeAnswer | undefined): void {
    if (this.#isClosed) return;
    if (answer === undefined) {
      this.#fail('nobody answered');
      return;
    }
    this.#isClosed = true;
    this.#answered(JSON.stringify(answer));
  }

  vanish(): void {
    this.#isClosed = true;
  }

  #answered(text: string): void {
    const { body, headers, status } = text === '' ? STREAM : (JSON.parse(text) as UpgradeAnswer);
    const parts = { getReader: () => ({ read: () => this.#next() }), cancel: async () => undefined };
    // What of a response the client looks at.
    const response = {
      ok: status === STREAM.status,
      status,
      body: parts,
      headers: { get: (name: string) => headers[name] ?? null },
      text: async () => body,
    };
    this.#response.resolve(response as unknown as Response);
  }

  #next(): Promise<Part> {
    const part = this.#parts.shift();
    if (part !== undefined) return Promise.resolve(part);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#isClosed) return Promise.resolve(END);
    this.#read = createDeferred();
    return this.#read.promise;
  }

  #give(part: Part): void {
    if (this.#read === undefined) this.#parts.push(part);
    else this.#read.resolve(part);
    this.#read = undefined;
  }

  #fail(message: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#failure = new TypeError(message);
    this.#response.reject(this.#failure);
    // Nobody may be waiting for it.
    this.#response.promise.catch(() => undefined);
    this.#read?.reject(this.#failure);
    this.#read = undefined;
  }
}

/** The answer that a stream follows. */
const STREAM: UpgradeAnswer = Object.freeze({
  status: 200,
  headers: { 'content-type': 'text/event-stream' },
  body: '',
});

/** Two parts, cut in the middle of a character if that is where the middle is. */
function cutInTwo(bytes: Uint8Array): readonly Uint8Array[] {
  const middle = Math.floor((bytes.length * 2) / 3);
  return [bytes.subarray(0, middle), bytes.subarray(middle)].filter(({ length }) => length > 0);
}

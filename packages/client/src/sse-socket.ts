import type { Clock, TimerHandle } from '@runwire/kernel';
import type { WebSocketConstructor, WebSocketLike } from './ports.js';
import { createPostQueue, type PostQueue } from './post-queue.js';
import { createSseParser } from './sse-parser.js';

/** What the sockets of this transport need. */
export interface SseSocketDeps {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
}

/**
 * Creates a constructor of sockets that are none: what the server sends comes as server-sent events of
 * `api/stream`, what the client sends goes by POST to `api/commands`, both beside the path of the WebSocket.
 * Token and cursor are taken from the arguments of a WebSocket, and refusals are told by its close codes, so
 * that the rest of the client makes no difference.
 */
export function createSseSocket(deps: SseSocketDeps): WebSocketConstructor {
  return class extends SseSocket {
    constructor(url: string, protocols: string[]) {
      super(deps, url, protocols);
    }
  };
}

type Listener = (event: { readonly data: unknown; readonly code: number; readonly reason: string }) => void;

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
const NORMAL = 1000;
const ABNORMAL = 1006;
const TOO_LARGE = 1009;

/** The server's frames are 300 KiB at most. */
const MAX_MESSAGE_CHARS = 1_048_576;
/** A command that is repeated may wait 10 s for the first. */
const POST_TIMEOUT_MS = 30_000;
/** What still goes out after `close` gets this long. */
const CLOSE_TIMEOUT_MS = 1_000;

/** What the status of a stream that is refused is as a close code; others are the network's. */
const CODE_OF_STATUS: Readonly<Record<number, number>> = { 401: 4401, 403: 4403, 429: 4503, 503: 4503 };
/** What the status of a post is: whatever else went wrong, the stream says it, or breaks. */
const CODE_OF_POST: Readonly<Record<number, number>> = { 401: 4401, 403: 4403 };
/** A message that will not be taken, now or later; the stream stays. The server, or a proxy before it, says why. */
const REJECTED = [400, 413, 415, 422];

interface HttpRequest {
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
  readonly method?: 'POST';
  readonly body?: string;
}

class SseSocket implements WebSocketLike {
  readyState = CONNECTING;
  readonly #deps: SseSocketDeps;
  readonly #stream = new AbortController();
  /** The post under way. One signal for all would collect listeners with each. */
  #request: AbortController | undefined;
  readonly #listeners: [type: string, listener: Listener][] = [];
  readonly #address: URL;
  readonly #posts: PostQueue;
  #token: string;
  #connectionId: string | undefined;
  #closing: TimerHandle | undefined;

  constructor(deps: SseSocketDeps, url: string, protocols: readonly string[]) {
    this.#deps = deps;
    this.#address = new URL(url.replace(/^ws/, 'http'));
    this.#token = tokenOf(protocols);
    this.#posts = createPostQueue({
      post: (text) => this.#post(text),
      drained: () => {
        if (this.readyState === CLOSING) this.#end(NORMAL);
      },
    });
    void this.#run();
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners.push([type, listener as Listener]);
  }

  send(data: string): void {
    if (this.readyState === OPEN) this.#posts.push(data);
  }

  close(): void {
    if (this.readyState > OPEN) return;
    this.readyState = CLOSING;
    // The last ack still goes.
    if (this.#posts.idle || this.#connectionId === undefined) this.#end(NORMAL);
    else this.#closing = this.#deps.clock.setTimer(CLOSE_TIMEOUT_MS, () => this.#end(NORMAL));
  }

  terminate(): void {
    this.#end(ABNORMAL);
  }

  async #run(): Promise<void> {
    try {
      const response = await this.#fetch(`api/stream${this.#address.search}`, {
        signal: this.#stream.signal,
        headers: { accept: 'text/event-stream' },
      });
      if (response.body === null || !isEventStream(response)) {
        await this.#refused(response, CODE_OF_STATUS);
        return;
      }
      if (this.readyState !== CONNECTING) return;
      this.readyState = OPEN;
      this.#emit('open', {});
      await this.#read(response.body);
      this.#end(ABNORMAL, 'the stream ended');
    } catch (cause) {
      if (cause instanceof RangeError) this.#end(TOO_LARGE, cause.message);
      else this.#end(ABNORMAL, 'the stream broke');
    }
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parse = createSseParser(MAX_MESSAGE_CHARS, (event, data) => {
      if (event === 'close') this.#closedByServer(data);
      else this.#received(data);
    });
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parse(decoder.decode(part.value, { stream: true }));
    }
  }

  #closedByServer(data: string): void {
    const { code, reason } = JSON.parse(data) as { code: number; reason: string };
    this.#end(code, reason);
  }

  #received(data: string): void {
    if (this.#connectionId === undefined) {
      // The first message of a connection says what it is called; ids need no escapes.
      this.#connectionId = /"connectionId":"([^"]+)"/.exec(data)?.[1];
      if (this.#connectionId !== undefined) this.#posts.start();
    }
    // The server takes silence for death. Whether it is a heartbeat or speaks of one, a ping does no harm.
    if (data.includes('"heartbeat"') && this.#posts.idle) this.send('{"type":"ping"}');
    if (this.readyState === OPEN) this.#emit('message', { data });
  }

  async #post(text: string): Promise<void> {
    if (this.readyState === CLOSED) return;
    const timer: TimerHandle = this.#deps.clock.setTimer(POST_TIMEOUT_MS, () =>
      this.#end(ABNORMAL, 'a POST was not answered in time'),
    );
    this.#request = new AbortController();
    try {
      const response = await this.#fetch('api/commands', {
        signal: this.#request.signal,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'runwire-connection': this.#connectionId ?? '' },
        body: text,
      });
      if (REJECTED.includes(response.status)) await this.#rejected(text, response);
      else if (response.ok) this.#answered(text, await response.text());
      else await this.#refused(response, CODE_OF_POST);
    } catch {
      this.#end(ABNORMAL, 'a POST failed');
    } finally {
      timer.cancel();
    }
  }

  #answered(text: string, answer: string): void {
    if (answer === '') return;
    const { token } = JSON.parse(text) as { token?: string };
    if (token !== undefined && answer.includes('"auth_refreshed"')) this.#token = token;
    this.#received(answer);
  }

  async #rejected(text: string, response: Response): Promise<void> {
    const { status } = response;
    const code = status === 413 ? 'MESSAGE_TOO_LARGE' : 'INVALID_MESSAGE';
    const message = `The message was refused with status ${status}.`;
    const error = { code, message, retryable: false, ...errorIn(await response.text()) };
    const { id: ref } = JSON.parse(text) as { id?: string };
    this.#received(JSON.stringify({ ...error, type: 'error', ref }));
  }

  async #refused(response: Response, codes: Readonly<Record<number, number>>): Promise<void> {
    const code = codes[response.status] ?? ABNORMAL;
    const retryAfterMs = Number(response.headers.get('retry-after') ?? '5') * 1_000;
    const reason = code === 4503 ? JSON.stringify({ retryAfterMs }) : `answered ${response.status}`;
    await response.body?.cancel();
    this.#end(code, reason);
  }

  #fetch(path: string, request: HttpRequest): Promise<Response> {
    return this.#deps.fetch(new URL(path, this.#address).href, {
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${this.#token}` },
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
    });
  }

  #end(code: number, reason = ''): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.#closing?.cancel();
    this.#stream.abort();
    this.#request?.abort();
    this.#emit('close', { code, reason });
  }

  #emit(type: string, event: Partial<Parameters<Listener>[0]>): void {
    for (const [name, listener] of this.#listeners) {
      if (name === type) listener({ data: undefined, code: 0, reason: '', ...event });
    }
  }
}

function isEventStream(response: Response): boolean {
  return response.ok && response.headers.get('content-type')?.startsWith('text/event-stream') === true;
}

/** What the server says is wrong. Nothing when something else answers: with a page of a proxy, say. */
function errorIn(answer: string): object | null {
  try {
    const { error } = JSON.parse(answer) as { error?: unknown };
    return typeof error === 'object' ? error : null;
  } catch {
    return null;
  }
}

/** The token that a WebSocket would carry in its subprotocols. */
function tokenOf(protocols: readonly string[]): string {
  const entry = protocols.find((protocol) => protocol.startsWith('bearer.')) ?? '';
  const binary = atob(entry.slice('bearer.'.length).replaceAll('-', '+').replaceAll('_', '/'));
  return new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
}

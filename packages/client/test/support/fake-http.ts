import type { ServerEnd } from './fake-connection.js';
import type { FakeServer } from './fake-server.js';

/** One request of a client. */
export interface FakeRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
}

/** The HTTP side of a {@link FakeServer}: `GET /ws`, `GET /api/stream`, `POST /api/commands`. */
export interface FakeHttp {
  readonly fetch: typeof fetch;
  readonly requests: FakeRequest[];
  /** What answers instead of the server: a response, a rejection, or nothing ever. */
  instead: ((request: FakeRequest) => Promise<Response> | undefined) | undefined;
  /** How an event stream is cut into chunks. */
  cut: (bytes: Uint8Array) => Iterable<Uint8Array>;
  /** How an event stream ends its lines. */
  lineEnd: string;
}

/** Creates the HTTP side of a server. */
export function createFakeHttp(server: FakeServer): FakeHttp {
  const streams = new Map<string, EventStreamEnd>();
  const http: FakeHttp = {
    requests: [],
    instead: undefined,
    cut: (bytes) => [bytes],
    lineEnd: '\n',
    fetch: async (input, init = {}) => {
      const request: FakeRequest = {
        method: init.method ?? 'GET',
        url: new URL(new Request(input).url),
        headers: new Headers(init.headers),
        body: typeof init.body === 'string' ? init.body : '',
      };
      http.requests.push(request);
      const signal = init.signal ?? new AbortController().signal;
      const answer = http.instead?.(request) ?? serve(request, signal);
      return await untilAborted(answer, signal);
    },
  };

  const serve = (request: FakeRequest, signal: AbortSignal): Promise<Response> => {
    const { pathname } = request.url;
    if (pathname === '/api/stream') return openStream(request, signal);
    if (pathname === '/api/commands') return command(request);
    return Promise.resolve(new Response(null, { status: pathname === '/ws' ? 426 : 404 }));
  };

  const openStream = (request: FakeRequest, signal: AbortSignal): Promise<Response> => {
    const end = new EventStreamEnd(request, http, () => server.ended(end));
    signal.addEventListener('abort', () => end.gone());
    queueMicrotask(() => {
      server.accept(end);
      streams.set(server.last.id, end);
    });
    return end.response;
  };

  const command = async (request: FakeRequest): Promise<Response> => {
    const end = streams.get(request.headers.get('runwire-connection') ?? '');
    if (end === undefined || end.readyState !== 1) {
      return Response.json({ error: { code: 'NOT_FOUND', message: 'no such connection' } }, { status: 404 });
    }
    const answer = end.nextAnswer();
    server.receive(end, request.body);
    const { type } = JSON.parse(request.body) as { type: string };
    if (type === 'ack' || type === 'resync') {
      end.noAnswer();
      return new Response(null, { status: type === 'ack' ? 204 : 202 });
    }
    return new Response(await answer);
  };

  return http;
}

const ANSWER = /^\{"type":"(pong|command_accepted|command_rejected|auth_refreshed|error)"/;

/** The server's end of an event stream; what answers a POST goes there instead. */
class EventStreamEnd implements ServerEnd {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly response: Promise<Response>;
  readyState = 0;
  readonly #http: FakeHttp;
  readonly #ended: () => void;
  #settle: { resolve: (response: Response) => void; reject: (error: unknown) => void } | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #answers: ((text: string) => void)[] = [];

  constructor({ url, headers }: FakeRequest, http: FakeHttp, ended: () => void) {
    const token = headers.get('authorization')?.replace('Bearer ', '') ?? '';
    this.url = url.href;
    this.protocols = [`bearer.${Buffer.from(token, 'latin1').toString('base64url')}`];
    this.#http = http;
    this.#ended = ended;
    this.response = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  opens(): void {
    this.readyState = 1;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
      },
      new CountQueuingStrategy({ highWaterMark: 1e6 }),
    );
    const headers = { 'content-type': 'text/event-stream; charset=utf-8' };
    this.#settle?.resolve(new Response(body, { headers }));
  }

  arrive(data: unknown): void {
    if (this.readyState !== 1) return;
    const text = String(data);
    const answer = ANSWER.test(text) ? this.#answers.shift() : undefined;
    if (answer === undefined) this.#write([`data: ${text}`]);
    else answer(text);
  }

  end(code: number, reason: string): void {
    if (this.readyState === 3) return;
    if (this.readyState === 0) this.#settle?.reject(new TypeError('fetch failed'));
    else if (code !== 1006) this.#write(['event: close', `data: ${JSON.stringify({ code, reason })}`]);
    this.#controller?.close();
    this.gone();
  }

  gone(): void {
    this.readyState = 3;
    this.#ended();
  }

  nextAnswer(): Promise<string> {
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  noAnswer(): void {
    this.#answers.pop();
  }

  #write(lines: readonly string[]): void {
    const text = [...lines, '', ''].join(this.#http.lineEnd);
    for (const chunk of this.#http.cut(new TextEncoder().encode(text))) this.#controller?.enqueue(chunk);
  }
}

/** As `fetch` does: rejects when the signal aborts. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

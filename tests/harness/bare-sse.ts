// Written from PROTOCOL.md alone: HTTP, server-sent events, JSON, and the client's rule. No package of the project.
import {
  Agent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
} from 'node:http';
import { BareConnection, type BareCursor } from './bare-connection.js';
import { within } from './deadline.js';

/** How a bare client asks for its stream. */
export interface BareSseOptions {
  readonly token?: string;
  readonly resume?: Partial<BareCursor>;
  /** How the cursor travels. @default 'query' */
  readonly resumeIn?: 'query' | 'header';
  readonly replaces?: string;
  /** Acknowledges what it applied. @default true */
  readonly acks?: boolean;
  /** Answers heartbeats with a ping. @default true */
  readonly pings?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where to, when not straight to the harness's server: a proxy of the test's own. */
  readonly url?: string;
}

/** How a request was answered. */
export interface BareAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

/** One stream of server-sent events, and the posts that belong to it. */
export class BareSse extends BareConnection {
  /** The `id` of each event that had one, in order. */
  readonly eventIds: string[] = [];
  /** Comments that came: the transport's pings. */
  comments = 0;
  readonly #url: string;
  readonly #options: BareSseOptions;
  readonly #asked: ClientRequest;
  readonly #posts = new Agent({ keepAlive: true });
  readonly #answered: Promise<BareAnswer>;
  #response: IncomingMessage | undefined;
  #token: string;
  #acking = false;

  constructor(url: string, options: BareSseOptions) {
    super();
    this.#url = url;
    this.#options = options;
    this.#token = options.token ?? '';
    const { epoch = '', id = '', seq = '' } = options.resume ?? {};
    const inHeader = options.resumeIn === 'header';
    const address = new URL('/api/stream', url);
    const query = { ...(inHeader ? {} : options.resume), replaces: options.replaces };
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) address.searchParams.set(key, String(value));
    }
    this.#asked = request(address, {
      agent: false,
      headers: {
        ...this.#authorization(),
        ...(inHeader ? { 'last-event-id': `${epoch}:${seq}:${id}` } : {}),
        ...options.headers,
      },
    });
    this.#asked.on('error', () => this.#ended());
    this.#answered = new Promise((resolve) => {
      this.#asked.on('response', (response) => void this.#open(response).then(resolve));
    });
    this.#asked.end();
  }

  /** Settles with the head of the answer; with its body, too, when that is no stream. */
  async answered(timeoutMs = 15_000): Promise<BareAnswer> {
    return await within(timeoutMs, 'an answer', this.#answered);
  }

  /** The token of the posts to come: a refreshed one. */
  useToken(token: string): void {
    this.#token = token;
  }

  send(message: unknown): void {
    // Whoever closes the connection in between gets no answer.
    this.post(message).catch(() => undefined);
  }

  /** Posts one message, text as it is, and takes its answer as a message of the server's. */
  async post(message: unknown, headers: Readonly<Record<string, string>> = {}): Promise<BareAnswer> {
    const text = typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message);
    const answer = await this.#post(text, headers);
    if (answer.status === 200) this.receive(JSON.stringify(answer.body));
    return answer;
  }

  cut(): void {
    this.#asked.destroy();
    this.#posts.destroy();
  }

  pauseReading(): void {
    this.#response?.pause();
  }

  resumeReading(): void {
    this.#response?.resume();
  }

  async #open(response: IncomingMessage): Promise<BareAnswer> {
    const { headers, statusCode: status = 0 } = response;
    response.on('error', () => undefined);
    response.on('close', () => this.#ended());
    if (status !== 200) return { status, headers, body: JSON.parse(await textOfBody(response)) };
    this.#response = response;
    let rest = '';
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) this.#block(block);
    });
    return { status, headers, body: undefined };
  }

  #block(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      if (name === '') this.comments += 1;
      else fields.set(name, value);
    }
    const data = fields.get('data');
    if (data === undefined) return;
    if (fields.get('event') === 'close') {
      this.end(JSON.parse(data));
      return;
    }
    const id = fields.get('id');
    if (id !== undefined) this.eventIds.push(id);
    const applied = this.receive(data);
    if (applied && this.#options.acks !== false) void this.#ack();
    const beat = this.#options.pings !== false && data.includes('"type":"heartbeat"');
    if (beat) this.send({ type: 'ping' });
  }

  /** One at a time, for all that was applied meanwhile. */
  async #ack(): Promise<void> {
    if (this.#acking) return;
    this.#acking = true;
    let acked = -1;
    while (acked < this.cursor.seq && this.closed === undefined) {
      acked = this.cursor.seq;
      await this.post({ type: 'ack', seq: acked }).catch(() => undefined);
    }
    this.#acking = false;
  }

  #ended(): void {
    this.end({ code: 1006, reason: '' });
  }

  #authorization(): Readonly<Record<string, string>> {
    return this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` };
  }

  #post(body: string | Buffer, headers: Readonly<Record<string, string>>): Promise<BareAnswer> {
    const id: string = this.control[0]?.['connectionId'] ?? '';
    return new Promise((resolve, reject) => {
      const posted = request(new URL('/api/commands', this.#url), {
        method: 'POST',
        agent: this.#posts,
        headers: {
          ...this.#authorization(),
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'runwire-connection': id,
          ...headers,
        },
      });
      posted.on('error', reject);
      posted.on('response', (response) => {
        const { headers: answered, statusCode: status = 0 } = response;
        textOfBody(response).then((text) => {
          resolve({ status, headers: answered, body: text === '' ? '' : JSON.parse(text) });
        }, reject);
      });
      posted.end(body);
    });
  }
}

async function textOfBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = await response.toArray();
  return Buffer.concat(chunks).toString();
}

/** Where tests get servers, users and clients from. Its disposal audits everything that was delivered. */
import { type ClientOptions, createRunwireClient, type RunwireClient } from '@runwire/client';
import { WebSocket } from 'ws';
import { auditUser, type Recording } from './audit.js';
import { BareClient, type BareMessage, type BareOptions } from './bare-client.js';
import { until } from './deadline.js';
import { callHttp, type HttpUser, registerUser } from './http-user.js';
import { type ServerProcess, type ServerProcessOptions, startServerProcess } from './server-process.js';

/** One server with its users and clients. */
export interface Harness extends AsyncDisposable {
  readonly server: ServerProcess;
  readonly url: string;
  register(): Promise<HttpUser>;
  /** A connection written from the protocol's text alone. */
  bare(user: HttpUser | undefined, options?: BareOptions): BareClient;
  /** The project's own client. */
  client(user: HttpUser, options?: Partial<ClientOptions>): RunwireClient;
  /** The server's metrics by line, such as `runwire_connections{state="ready"}`. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  /** Settles when nobody is connected and nothing runs, by the server's own count. */
  atRest(): Promise<void>;
}

const REST_DEADLINE_MS = 15_000;

/** Starts a server; `await using` stops it and fails the test when an invariant is broken. */
export async function createHarness(options: ServerProcessOptions = {}): Promise<Harness> {
  return new ProcessHarness(await startServerProcess(options));
}

class ProcessHarness implements Harness {
  readonly server: ServerProcess;
  readonly #users: HttpUser[] = [];
  readonly #recordings: Recording[] = [];
  readonly #bare: BareClient[] = [];
  readonly #clients: RunwireClient[] = [];

  constructor(server: ServerProcess) {
    this.server = server;
  }

  get url(): string {
    return this.server.url;
  }

  async register(): Promise<HttpUser> {
    const user = await registerUser(this.url);
    this.#users.push(user);
    return user;
  }

  bare(user: HttpUser | undefined, options: BareOptions = {}): BareClient {
    const client = new BareClient(this.url, {
      ...(user === undefined ? {} : { token: user.accessToken }),
      ...options,
    });
    this.#bare.push(client);
    if (user !== undefined) {
      this.#recordings.push({
        label: `bare ${this.#bare.length}`,
        user,
        events: client.events,
        get resets() {
          return client.control.filter(({ type }) => type === 'reset').length;
        },
      });
    }
    return client;
  }

  client(user: HttpUser, options: Partial<ClientOptions> = {}): RunwireClient {
    const client = createRunwireClient({
      url: new URL('/ws', this.url).href,
      getToken: async () => user.accessToken,
      webSocket: WebSocket,
      ...options,
    });
    const events: BareMessage[] = [];
    client.onEvent((event) => void events.push(event as unknown as BareMessage));
    this.#clients.push(client);
    this.#recordings.push({
      label: `client ${this.#clients.length}`,
      user,
      events,
      get resets() {
        return client.stats.resets;
      },
    });
    return client;
  }

  async metrics(): Promise<ReadonlyMap<string, number>> {
    const { body } = await callHttp(this.url, { method: 'GET', path: '/metrics' });
    const lines = String(body)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const cut = line.lastIndexOf(' ');
        return [line.slice(0, cut), Number(line.slice(cut + 1))];
      }),
    );
  }

  async atRest(): Promise<void> {
    const counts = [
      'runwire_users_connected',
      'runwire_handlers',
      'runwire_runs_active',
      'runwire_cursors{state="live"}',
      'runwire_cursors{state="behind"}',
    ];
    let last: ReadonlyMap<string, number> = new Map();
    await until(REST_DEADLINE_MS, `the server to be at rest`, async () => {
      last = await this.metrics();
      return counts.every((name) => last.get(name) === 0);
    }).catch((error: unknown) => {
      throw new Error(`${String(error)} ${JSON.stringify(counts.map((name) => [name, last.get(name)]))}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const problems = await this.#audit();
      if (problems.length > 0) throw new Error(`The audit found:\n${problems.slice(0, 20).join('\n')}`);
    } finally {
      await this.server[Symbol.asyncDispose]();
    }
  }

  async #audit(): Promise<readonly string[]> {
    for (const client of this.#clients) await client.close();
    for (const client of this.#bare) client.cut();
    if (!(await this.#serverAnswers())) return [];
    const problems: string[] = [];
    for (const user of this.#users) {
      const own = this.#recordings.filter((recording) => recording.user === user);
      problems.push(...(await auditUser(this.url, user, own)));
    }
    await this.atRest();
    return problems;
  }

  /** A test that stopped the server has nothing left to audit here. */
  async #serverAnswers(): Promise<boolean> {
    return await callHttp(this.url, { method: 'GET', path: '/health/live' }).then(
      ({ status }) => status === 200,
      () => false,
    );
  }
}

export { WebSocket as NodeSocket } from 'ws';
export { BareClient, type BareMessage, type BareOptions, textOf } from './bare-client.js';
export { pause, until } from './deadline.js';
export { callHttp, type HttpUser } from './http-user.js';
export { failToStart, startServerProcess } from './server-process.js';

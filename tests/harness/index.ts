/** Where tests get servers, users and clients from. Its disposal audits everything that was delivered. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientOptions, createRunwireClient, type RunwireClient } from '@runwire/client';
import { WebSocket } from 'ws';
import { auditUsers, tokenOf } from './audit.js';
import { auditCounters } from './audit-counters.js';
import type { AuditReport } from './audit-report.js';
import { BareClient, type BareOptions } from './bare-client.js';
import type { BareConnection } from './bare-connection.js';
import { BareSse, type BareSseOptions } from './bare-sse.js';
import { pause, until } from './deadline.js';
import type { NetworkShape } from './fault-flow.js';
import { type FaultProxy, startFaultProxy } from './fault-proxy.js';
import { callHttp, type HttpUser, registerUser, signInUser } from './http-user.js';
import { type Recording, recordBare, recordClient } from './recording.js';
import { type ServerProcess, type ServerProcessOptions, startServerProcess } from './server-process.js';

/** How a harness is set up. */
export interface HarnessOptions extends ServerProcessOptions {
  /** Clients connect through a fault proxy, whose address stays when the server is started again. */
  readonly network?: NetworkShape;
}

/** How a server is started again; what is left out stays as it was. */
export interface RestartOptions extends Omit<ServerProcessOptions, 'dataDirectory'> {
  /** Ends the old process, if it still runs. @default 'SIGKILL' */
  readonly signal?: NodeJS.Signals;
}

/** One server with its users and clients. */
export interface Harness extends AsyncDisposable {
  /** The process now; another one behind each restart. */
  readonly server: ServerProcess;
  /** The address for clients. */
  readonly url: string;
  /** @throws without `network` */
  readonly proxy: FaultProxy;
  register(): Promise<HttpUser>;
  /** A further session. The audit knows from now on of a user who registered elsewhere, such as on the page. */
  signIn(who: { readonly email: string; readonly password: string }): Promise<HttpUser>;
  /** A connection written from the protocol's text alone. */
  bare(user: HttpUser | undefined, options?: BareOptions): BareClient;
  /** The same over server-sent events and posts. */
  bareSse(user: HttpUser | undefined, options?: BareSseOptions): BareSse;
  /** The project's own client. */
  client(user: HttpUser, options?: Partial<ClientOptions>): RunwireClient;
  /** Ends the server and starts it on the same data folder; clients and proxy stay. Needs `network`. */
  restart(options?: RestartOptions): Promise<void>;
  /** The server's metrics by line, such as `runwire_connections{state="ready"}`. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  /** Settles when nobody is connected and nothing runs, by the server's own count. */
  atRest(): Promise<void>;
  /**
   * Mends the network, waits until no run is under way and every client of the project has everything, closes
   * all clients, and compares. Once; the disposal does it where a test does not, and fails on any problem.
   */
  audit(): Promise<AuditReport>;
}

const REST_DEADLINE_MS = 15_000;
/** Runs that were left behind end first; then those who follow catch up. */
const FOLLOW_DEADLINE_MS = 60_000;
/** An ended run's last event is on its way. */
const STABLE_MS = 100;

/** Starts a server; `await using` stops it and fails the test when an invariant is broken. */
export async function createHarness(options: HarnessOptions = {}): Promise<Harness> {
  const { network, ...server } = options;
  const own = options.dataDirectory === undefined;
  const dataDirectory = options.dataDirectory ?? (await mkdtemp(join(tmpdir(), 'runwire-')));
  const discard = async (): Promise<void> => {
    if (own) await rm(dataDirectory, { recursive: true, force: true });
  };
  try {
    const harness = new ProcessHarness({ ...server, dataDirectory }, discard);
    await harness.start(network);
    return harness;
  } catch (error) {
    await discard();
    throw error;
  }
}

class ProcessHarness implements Harness {
  readonly #discard: () => Promise<void>;
  #options: ServerProcessOptions;
  #server: ServerProcess | undefined;
  #proxy: FaultProxy | undefined;
  #restarts = 0;
  #auditing: Promise<AuditReport> | undefined;
  readonly #users: HttpUser[] = [];
  readonly #recordings: Recording[] = [];
  readonly #bare: BareConnection[] = [];
  readonly #clients: RunwireClient[] = [];

  constructor(options: ServerProcessOptions, discard: () => Promise<void>) {
    this.#options = options;
    this.#discard = discard;
  }

  async start(network: NetworkShape | undefined): Promise<void> {
    this.#server = await startServerProcess(this.#options);
    if (network !== undefined) this.#proxy = await startFaultProxy(this.#server.url, network);
  }

  get server(): ServerProcess {
    if (this.#server === undefined) throw new Error('The server was not started.');
    return this.#server;
  }

  get proxy(): FaultProxy {
    if (this.#proxy === undefined) throw new Error('This harness was made without `network`.');
    return this.#proxy;
  }

  get url(): string {
    return this.#proxy?.url ?? this.server.url;
  }

  async register(): Promise<HttpUser> {
    const user = await registerUser(() => this.server.url);
    this.#users.push(user);
    return user;
  }

  async signIn(who: { readonly email: string; readonly password: string }): Promise<HttpUser> {
    const user = await signInUser(() => this.server.url, who);
    if (!this.#users.some(({ id }) => id === user.id)) this.#users.push(user);
    return user;
  }

  bare(user: HttpUser | undefined, options: BareOptions = {}): BareClient {
    const token = user === undefined ? {} : { token: user.accessToken };
    return this.#keepBare(user, new BareClient(options.url ?? this.url, { ...token, ...options }));
  }

  bareSse(user: HttpUser | undefined, options: BareSseOptions = {}): BareSse {
    const token = user === undefined ? {} : { token: user.accessToken };
    return this.#keepBare(user, new BareSse(options.url ?? this.url, { ...token, ...options }));
  }

  client(user: HttpUser, options: Partial<ClientOptions> = {}): RunwireClient {
    const client = createRunwireClient({
      url: new URL('/ws', this.url).href,
      getToken: async () => user.accessToken,
      webSocket: WebSocket,
      ...options,
    });
    this.#clients.push(client);
    this.#recordings.push(recordClient(`client ${this.#clients.length}`, user, client));
    return client;
  }

  async restart({ signal = 'SIGKILL', ...changes }: RestartOptions = {}): Promise<void> {
    const proxy = this.proxy;
    if (this.server.isRunning) await this.server.stop(signal);
    this.#options = { ...this.#options, ...changes };
    this.#restarts += 1;
    this.#server = await startServerProcess(this.#options);
    proxy.retarget(this.#server.url);
  }

  async metrics(): Promise<ReadonlyMap<string, number>> {
    const { body } = await callHttp(this.server.url, { method: 'GET', path: '/metrics' });
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
    await this.#untilZero('the server to be at rest', [
      'runwire_users_connected',
      'runwire_handlers',
      'runwire_runs_active',
      'runwire_cursors{state="live"}',
      'runwire_cursors{state="behind"}',
    ]);
  }

  async audit(): Promise<AuditReport> {
    this.#auditing ??= this.#audit();
    return await this.#auditing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      // A test that stopped the server has nothing left to audit here.
      const { problems } = this.server.isRunning ? await this.audit() : { problems: [] };
      if (problems.length > 0) throw new Error(`The audit found:\n${problems.slice(0, 20).join('\n')}`);
    } finally {
      for (const client of this.#clients) await client.close();
      for (const client of this.#bare) client.cut();
      await this.#proxy?.[Symbol.asyncDispose]();
      await this.#server?.[Symbol.asyncDispose]();
      await this.#discard();
    }
  }

  #keepBare<T extends BareConnection>(user: HttpUser | undefined, client: T): T {
    this.#bare.push(client);
    if (user !== undefined) this.#recordings.push(recordBare(`bare ${this.#bare.length}`, user, client));
    return client;
  }

  async #audit(): Promise<AuditReport> {
    this.#proxy?.restore();
    await this.#untilZero('the runs to end', ['runwire_runs_active']);
    // Bare connections do not follow; what they hold up is not waited for.
    for (const client of this.#bare) client.cut();
    await this.#followed();
    const report = await auditUsers(this.server.url, this.#users, this.#recordings);
    for (const client of this.#clients) await client.close();
    // Black holes too: the server need not find out by itself.
    this.#proxy?.cut();
    await this.atRest();
    const problems = this.#restarts > 0 ? [] : auditCounters(await this.metrics(), report);
    return { ...report, problems: [...report.problems, ...problems] };
  }

  /** Every client that reconnects by itself has applied everything, or has had the time to. */
  async #followed(): Promise<void> {
    const deadline = performance.now() + FOLLOW_DEADLINE_MS;
    for (const user of this.#users) {
      const own = this.#recordings.filter((recording) => recording.user === user && recording.follows);
      if (own.length === 0) continue;
      await pause(STABLE_MS);
      const head = await this.#headOf(user);
      while (own.some(({ follows, appliedSeq }) => follows && appliedSeq < head)) {
        if (performance.now() > deadline) return;
        await pause(STABLE_MS);
      }
    }
  }

  async #headOf(user: HttpUser): Promise<number> {
    const token = await tokenOf(this.server.url, user);
    const reader = new BareClient(this.server.url, { token });
    try {
      return (await reader.untilControl('caught_up')).seq ?? 0;
    } finally {
      reader.close();
    }
  }

  async #untilZero(what: string, counts: readonly string[]): Promise<void> {
    let last: ReadonlyMap<string, number> = new Map();
    await until(REST_DEADLINE_MS, what, async () => {
      last = await this.metrics();
      return counts.every((name) => last.get(name) === 0);
    }).catch((error: unknown) => {
      throw new Error(`${String(error)} ${JSON.stringify(counts.map((name) => [name, last.get(name)]))}`);
    });
  }
}

export { WebSocket as NodeSocket } from 'ws';
export type { AuditReport } from './audit-report.js';
export { BareClient, type BareMessage, type BareOptions, textOf } from './bare-client.js';
export type { BareConnection } from './bare-connection.js';
export { BareSse, type BareSseOptions } from './bare-sse.js';
export { pause, until, within } from './deadline.js';
export type { NetworkShape } from './fault-flow.js';
export { callHttp, type HttpUser } from './http-user.js';
export { failToStart, type ServerProcess, startServerProcess } from './server-process.js';

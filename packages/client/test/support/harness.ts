import { createManualClock, type ManualClock } from '@runwire/kernel/testing';
import type { RunwireEvent } from '@runwire/protocol';
import {
  type ClientOptions,
  type ClientProblem,
  type ClientState,
  createRunwireClient,
  type PageSignals,
  type RunwireClient,
} from '../../src/index.js';
import { createFakeHttp, type FakeHttp } from './fake-http.js';
import { FakeServer } from './fake-server.js';

/** The signals of a page, given by a test. */
export interface FakePage extends PageSignals {
  online: boolean;
  give(signal: 'online' | 'offline' | 'visible'): void;
  readonly listeners: number;
}

/** Creates a page that is online. */
function createFakePage(): FakePage {
  const listeners = new Set<(signal: 'online' | 'offline' | 'visible') => void>();
  return {
    online: true,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    give(signal) {
      if (signal !== 'visible') this.online = signal === 'online';
      for (const listener of listeners) listener(signal);
    },
    get listeners() {
      return listeners.size;
    },
  };
}

/** A client, its server, and everything the application sees. Disposal audits: contiguous, once, nothing left. */
export interface Harness extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly server: FakeServer;
  readonly http: FakeHttp;
  readonly client: RunwireClient;
  readonly page: FakePage;
  readonly applied: RunwireEvent[];
  readonly states: ClientState[];
  readonly problems: ClientProblem[];
  readonly tokens: ('connect' | 'refresh')[];
  /** Connects and waits for `caught_up`. */
  connect(): Promise<void>;
}

/** Creates the pair. `random` is 0.5 throughout for delays that a test can name, unless it gives another. */
export function createHarness(
  options: Partial<ClientOptions> = {},
  server: FakeServer = new FakeServer(createManualClock()),
): Harness {
  const { clock } = server;
  const http = createFakeHttp(server);
  const page = createFakePage();
  const tokens: ('connect' | 'refresh')[] = [];
  let ids = 0;
  const client = createRunwireClient({
    url: 'https://example.test/ws',
    getToken: async (reason) => {
      tokens.push(reason);
      return `token-${tokens.length}`;
    },
    webSocket: server.webSocket,
    fetch: http.fetch,
    clock,
    page,
    random: () => {
      ids += 1;
      return ids % 2 === 0 ? 0.5 : 0.4999;
    },
    ...options,
  });
  const harness = { clock, server, http, client, page, tokens, applied: [], states: [], problems: [] };
  return watch(harness);
}

function watch(
  parts: Omit<Harness, 'connect' | typeof Symbol.asyncDispose> & {
    applied: RunwireEvent[];
    states: ClientState[];
    problems: ClientProblem[];
  },
): Harness {
  const { applied, client, clock, page, problems, states } = parts;
  client.onEvent((event) => applied.push(event));
  client.onState((state) => states.push(state));
  client.onError((problem) => problems.push(problem));
  return {
    ...parts,
    async connect() {
      const connected = client.connect();
      await clock.settle();
      await connected;
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await clock.settle();
      assertOnce(applied);
      if (clock.pendingTimers !== 0) throw new Error(`${clock.pendingTimers} timers are left.`);
      if (page.listeners !== 0) throw new Error(`${page.listeners} page listeners are left.`);
    },
  };
}

/** Each event once, in order; `seq` may start over only with another epoch, which shows in the ids. */
function assertOnce(applied: readonly RunwireEvent[]): void {
  for (const [at, event] of applied.entries()) {
    const before = applied[at - 1];
    if (before === undefined || epochOf(before) !== epochOf(event)) continue;
    if (event.seq <= before.seq) throw new Error(`${event.seq} was applied after ${before.seq}.`);
  }
}

function epochOf(event: RunwireEvent): string {
  return event.id.slice(0, event.id.indexOf('_evt_'));
}

/** The seqs of events, for comparison. */
export function seqs(events: readonly RunwireEvent[]): number[] {
  return events.map(({ seq }) => seq);
}

/** 1, 2, … `last`. */
export function upTo(last: number, from = 1): number[] {
  return Array.from({ length: Math.max(0, last - from + 1) }, (_, n) => from + n);
}

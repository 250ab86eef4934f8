// Connections that come and go, in every state that a connection has.
import { connect, type Socket } from 'node:net';
import {
  type BareClient,
  createHarness,
  type Harness,
  type HttpUser,
  pause,
  until,
} from '../../harness/index.js';
import { liveConnectionObjects } from '../../harness/leaks.js';
import type { Row } from '../rows.js';
import { Conversation, startTalkers } from '../talkers.js';
import { LONG_TOKENS } from './connections.js';

const PER_SECOND = 100;
const HEALTHY = 4;
const RESTLESS = 10;
const ENV = { ...LONG_TOKENS, RUNWIRE_MAX_CONNECTIONS_PER_USER: '1000' };

type Visit = (harness: Harness, user: HttpUser) => Promise<void>;

/** Each way to leave, from before the handshake to the midst of a replay. */
const VISITS: readonly Visit[] = [
  // TCP, and nothing else.
  async (harness) => void (await dial(harness)).destroy(),
  async (harness) => void (await dial(harness)).resetAndDestroy(),
  // Half a handshake.
  async (harness) => {
    const socket = await dial(harness);
    socket.write('GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: webso');
    socket.resetAndDestroy();
  },
  // Accepted, not authenticated.
  async (harness) => {
    const client = harness.bare(undefined, { tokenIn: 'frame' });
    await opened(client);
    client.cut();
  },
  // In the midst of the authentication.
  async (harness, user) => {
    const client = harness.bare(user, { tokenIn: 'frame' });
    await opened(client);
    client.cut();
  },
  async (harness, user) => {
    const client = harness.bare(user);
    await opened(client);
    client.cut();
  },
  // Refused.
  async (harness) => void (await harness.bare(undefined, { token: 'nonsense' }).untilClosed()),
  // Established, in the midst of a replay.
  async (harness, user) => {
    const client = harness.bare(user, { resume: { seq: 0 } });
    await client.untilControl('connection_established');
    client.cut();
  },
  // Live, in both ways.
  async (harness, user) => {
    const client = harness.bare(user);
    await client.untilControl('caught_up');
    client.cut();
  },
  async (harness, user) => {
    const client = harness.bare(user);
    await client.untilControl('caught_up');
    client.close();
    await client.untilClosed();
  },
  // With a question under way.
  async (harness, user) => {
    const client = harness.bare(user);
    await client.untilControl('caught_up');
    client.send({ type: 'chat', content: 'what is 1 + 1?' });
    client.cut();
  },
];

/** 100 connects and disconnects a second beside healthy users; then every count is back at zero. */
export async function comesAndGoes(row: Row, seconds: number): Promise<void> {
  await using harness = await createHarness({ env: ENV, network: {} });
  const users = await Promise.all(Array.from({ length: RESTLESS }, () => harness.register()));
  const talkers = await startTalkers(harness, HEALTHY);
  const conversation = new Conversation(talkers);
  const failures: string[] = [];
  const visits: Promise<void>[] = [];
  const begunAtMs = performance.now();
  for (let visit = 0; visit < seconds * PER_SECOND; visit += 1) {
    const leadMs = begunAtMs + (visit * 1_000) / PER_SECOND - performance.now();
    if (leadMs > 0) await pause(leadMs);
    const user = users[visit % RESTLESS];
    const go = VISITS[visit % VISITS.length];
    if (user === undefined || go === undefined) throw new Error('there is nobody, or nowhere to go');
    visits.push(go(harness, user).catch((error: unknown) => void failures.push(String(error))));
  }
  const tookMs = performance.now() - begunAtMs;
  await Promise.all(visits);
  await conversation.over();
  row.round();
  row.note(`${visits.length} connections, ${Math.round((visits.length * 1_000) / tookMs)} a second`);
  if (failures.length > 0) throw new Error(`${failures.length} visits failed, the first: ${failures[0]}`);
  row.audited(await harness.audit());
  // The audit's own last request is held by its connection, until that has been idle for a few seconds.
  await until(20_000, 'everything of connections and runs to be gone', async () => {
    return (await liveConnectionObjects(harness.server)).length === 0;
  });
}

async function dial(harness: Harness): Promise<Socket> {
  const { hostname, port } = new URL(harness.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return socket;
}

function opened(client: BareClient): Promise<void> {
  return new Promise((resolve) => {
    client.socket.once('open', () => resolve());
    client.socket.once('close', () => resolve());
  });
}

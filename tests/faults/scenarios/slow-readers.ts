// Readers that are slow or read nothing at all, beside users who are not to notice.
import { fork } from 'node:child_process';
import { endedRun, startRun } from '../../harness/http-run.js';
import { createHarness, type Harness, type HttpUser, until, within } from '../../harness/index.js';
import type { Row } from '../rows.js';
import { startTalkers, type Talker } from '../talkers.js';
import { LONG_TOKENS } from './connections.js';

const REPLAY_MB = 12;
/** Of the 120 s that 12 MB take at 100 KB/s. */
const REPLAY_DEADLINE_MS = 180_000;

/** 12 MB at 100 KB a second: the reader is slow for two minutes, and alive, so nobody closes it. */
export async function longReplay(row: Row, bytesPerSecond: number | undefined): Promise<void> {
  await using harness = await createHarness({ network: {}, env: LONG_TOKENS });
  const user = await harness.register();
  for (let left = REPLAY_MB; left > 0; left -= 4) {
    await endedRun(user, await startRun(user, `write ${Math.min(4, left)} MB`));
  }
  harness.proxy.shape(bytesPerSecond === undefined ? {} : { bytesPerSecond });
  const reader = harness.client(user, { start: 'beginning' });
  const begunAtMs = performance.now();
  const live = reader.connect();
  await until(REPLAY_DEADLINE_MS, `${REPLAY_MB} MB to be replayed`, () => reader.state.kind === 'live');
  await live;
  row.round();
  row.note(`${REPLAY_MB} MB in ${((performance.now() - begunAtMs) / 1_000).toFixed(1)} s`);
  if (reader.stats.connections !== 1) throw new Error(`${reader.stats.connections} connections`);
  row.audited(await harness.audit());
}

const HEALTHY = 100;
const SLOW_USERS = 20;
const TABS = 50;
/** One number every 50 ms, which is more than the window in which deltas are rolled up: one event each. */
const INTERVAL_MS = 50;
const NUMBERS = 200;
const BACKLOG = 'write 1 MB';
/**
 * 100 users read answers that come at a steady pace; how late each piece is, is measured without slow readers,
 * with 1,000 of them, and without again.
 */
export async function besideHealthy(row: Row, rounds: number): Promise<void> {
  const env = { ...LONG_TOKENS, RUNWIRE_MAX_CONNECTIONS_PER_USER: '1000', RUNWIRE_MAX_RUNS: '1000' };
  await using harness = await createHarness({ env });
  const talkers = await startTalkers(harness, HEALTHY);
  const slow = await slowUsers(harness);
  const alone: number[] = [];
  const beside: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    alone.push(await p99LatenessMs(talkers));
    {
      await using _crowd = await slowReaders(harness, slow);
      beside.push(await p99LatenessMs(talkers));
      row.most('of them still there', (await connections(harness)) - HEALTHY);
    }
    await until(30_000, 'the slow readers to be gone', async () => (await connections(harness)) === HEALTHY);
    row.round();
  }
  alone.push(await p99LatenessMs(talkers));
  report(row, { alone, beside });
  if (talkers.some(({ client }) => client.stats.connections > 1)) {
    throw new Error('healthy users were disconnected');
  }
  row.audited(await harness.audit());
}

/** The goal is a tenth, and what was measured is told; a busy machine has that much noise by itself, and more. */
const MAX_RATIO = 1.5;
const NOISE_MS = 10;

function report(row: Row, { alone, beside }: { readonly alone: number[]; readonly beside: number[] }): void {
  const [without, withThem] = [median(alone), median(beside)];
  const ratio = withThem / without;
  row.note(
    `p99 ${withThem.toFixed(1)} ms beside ${SLOW_USERS * TABS} slow readers, ${without.toFixed(1)} ms alone: ${ratio.toFixed(2)} ×`,
  );
  if (withThem > without * MAX_RATIO + NOISE_MS) {
    throw new Error(`healthy users wait ${ratio.toFixed(2)} × as long beside slow readers`);
  }
}

/** Users with a backlog that nobody has read. */
async function slowUsers(harness: Harness): Promise<readonly HttpUser[]> {
  const users = await Promise.all(Array.from({ length: SLOW_USERS }, () => harness.register()));
  for (const user of users) await endedRun(user, await startRun(user, BACKLOG));
  return users;
}

/**
 * How late the 99th percentile of all pieces is: the agent keeps an absolute pace, so a piece is late by what it
 * lies behind the piece that was least late.
 */
async function p99LatenessMs(talkers: readonly Talker[]): Promise<number> {
  const late = await Promise.all(
    talkers.map(async ({ client, talk }) => {
      const arrivals: number[] = [];
      const stop = client.on('agent_delta', ({ data }) => {
        if (data.kind === 'text') arrivals.push(performance.now() - arrivals.length * INTERVAL_MS);
      });
      await talk(`count to ${NUMBERS} at ${1_000 / INTERVAL_MS} per second`);
      stop();
      const first = Math.min(...arrivals);
      return arrivals.map((atMs) => atMs - first);
    }),
  );
  const sorted = late.flat().sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? 0;
}

/** Readers in a process of their own, connected and with everything before them. */
async function slowReaders(harness: Harness, users: readonly HttpUser[]): Promise<AsyncDisposable> {
  const child = fork(SLOW_READERS, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const connected = new Promise((resolve) => child.once('message', resolve));
  const tokens = users.map(({ accessToken }) => accessToken);
  child.send({ url: harness.url, tokens, tabs: TABS });
  try {
    await within(CONNECT_DEADLINE_MS, 'the slow readers to be connected', connected);
  } catch (error) {
    await stop();
    throw error;
  }
  return { [Symbol.asyncDispose]: stop };
}

const SLOW_READERS = new URL('../slow-readers.mjs', import.meta.url);
const CONNECT_DEADLINE_MS = 60_000;

async function connections(harness: Harness): Promise<number> {
  return (await harness.metrics()).get('runwire_connections{state="ready"}') ?? 0;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { emitTo } from '../faults/stopped-reader.js';
import { startFaultProxy } from '../harness/fault-proxy.js';
import { endedRun, startRun } from '../harness/http-run.js';
import {
  type BareClient,
  type BareMessage,
  createHarness,
  type Harness,
  type HttpUser,
  pause,
  textOf,
  until,
} from '../harness/index.js';

const TEST_MS = 120_000;
const MEGABYTE = 1_000_000;

/** A tenth of the protocol's times, so that a line of ten times the rate is as slow: 1 MB/s stands for 100 KB/s. */
const SCALED = {
  RUNWIRE_HEARTBEAT_INTERVAL_MS: '2000',
  RUNWIRE_SILENCE_TIMEOUT_MS: '3000',
  // Bare connections ack each frame, and there is no line between them and the server.
  RUNWIRE_MAX_LOGGED_BYTES_PER_SECOND: '1000000000',
};
const SILENCE_MS = 3_000;
/** What a close may take beyond the silence: the timer's own rounding, the answer that never comes. */
const CLOSE_MS = 2_000;

describe('a reader that has stopped', () => {
  it(
    '[BR-5] costs the server no more than 8 MB over one that reads, while its user is sent 20 MB',
    async () => {
      const reading = await emitTo('reading', 2);
      const stopped = await emitTo('stopped', 2);
      expect(stopped.usedBytes - reading.usedBytes).toBeLessThanOrEqual(8 * MEGABYTE);
      expect([reading.readBytes, stopped.readBytes]).toEqual([20 * MEGABYTE, 20 * MEGABYTE]);
      expect([...reading.report.problems, ...stopped.report.problems]).toEqual([]);
    },
    TEST_MS,
  );

  it(
    '[BR-5, WS-8] is closed at its limit with 4508, and has everything after its resume',
    async () => {
      await using harness = await createHarness({ env: SCALED });
      const user = await harness.register();
      const tab = harness.bare(user);
      await tab.untilControl('caught_up');
      const runId = await startRun(user, 'write 10 MB');
      await tab.until('the beginning', ({ type }) => type === 'agent_delta');
      tab.pauseReading();
      const closedMs = await untilClosed(harness);
      expect((await harness.metrics()).get('runwire_closes_total{code="4508"}')).toBe(1);
      expect(closedMs).toBeGreaterThan(SILENCE_MS - 1_000);
      expect(closedMs).toBeLessThan(SILENCE_MS + CLOSE_MS);
      // The kernel still has what was sent before; only then comes the end.
      tab.resumeReading();
      await tab.untilClosed();
      const again = harness.bare(user, { resume: tab.cursor });
      await again.until('the end', isEndOf(runId), 60_000);
      expect(textOf([...tab.events, ...again.events], runId)).toHaveLength(10 * MEGABYTE);
      expect([tab.gaps, again.gaps]).toEqual([0, 0]);
    },
    TEST_MS,
  );

  it(
    '[WS-8] is found in time when it has become a black hole, whether or not it acks',
    async () => {
      await using harness = await createHarness({ env: SCALED });
      await using proxy = await startFaultProxy(harness.url);
      const user = await harness.register();
      const tabs = [true, false].map((acks) => harness.bare(user, { acks, url: proxy.url }));
      for (const tab of tabs) await tab.untilControl('caught_up');
      const runId = await startRun(user, 'count to 400 at 100 per second');
      for (const tab of tabs) await tab.until('the beginning', ({ type }) => type === 'agent_delta');
      proxy.swallow();
      expect(await untilClosed(harness, tabs.length)).toBeLessThan(SILENCE_MS + CLOSE_MS);
      // The run does not need anybody to listen.
      for (const tab of tabs) {
        const again = harness.bare(user, { resume: tab.cursor });
        await again.until('the end', isEndOf(runId));
        expect(textOf([...tab.events, ...again.events], runId)).toBe(countTo(400));
      }
    },
    TEST_MS,
  );
});

describe('a slow reader', () => {
  it(
    '[WS-8] is not closed while it lives: a replay that takes twice the silence limit completes',
    async () => {
      await using harness = await createHarness({ env: SCALED });
      await using proxy = await startFaultProxy(harness.url, { bytesPerSecond: MEGABYTE });
      const user = await harness.register();
      const runId = await startRun(user, 'write 6 MB');
      await endedRun(user, runId);
      const begunAtMs = performance.now();
      const tab = harness.bare(user, { resume: { seq: 0 }, url: proxy.url });
      await tab.untilControl('caught_up', 60_000);
      expect(performance.now() - begunAtMs).toBeGreaterThan(1.9 * SILENCE_MS);
      expect(textOf(tab.events, runId)).toHaveLength(6 * MEGABYTE);
      expect([tab.gaps, tab.closed]).toEqual([0, undefined]);
    },
    TEST_MS,
  );

  it(
    '[BR-5, WS-8] that never acks and reads slower than it must is closed, and has everything after its resume',
    async () => {
      await using harness = await createHarness({ env: SCALED });
      // What the line holds alone keeps a pong from coming in time.
      await using proxy = await startFaultProxy(harness.url, { bytesPerSecond: 30_000 });
      const user = await harness.register();
      const runId = await startRun(user, 'write 2 MB');
      await endedRun(user, runId);
      const unacking = { acks: false, url: proxy.url };
      const tab = harness.bare(user, { ...unacking, resume: { seq: 0 } });
      await tab.until('the beginning', ({ type }) => type === 'agent_delta');
      await untilClosed(harness);
      // What the kernel has taken still comes, and only then the end.
      proxy.restore();
      await tab.untilClosed();
      const again = harness.bare(user, { ...unacking, resume: tab.cursor });
      await again.untilControl('caught_up');
      expect(textOf([...tab.events, ...again.events], runId)).toHaveLength(2 * MEGABYTE);
      expect([tab.gaps, again.gaps]).toEqual([0, 0]);
    },
    TEST_MS,
  );

  it(
    '[WS-8] of each kind reads beside healthy users, who do not notice it',
    async () => {
      await using harness = await createHarness({ env: SCALED });
      await using crawling = await startFaultProxy(harness.url, { bytesPerSecond: 10_000 });
      await using slow = await startFaultProxy(harness.url, { bytesPerSecond: MEGABYTE });
      const user = await harness.register();
      const runs = [
        await startRun(user, 'write 2 MB'),
        await startRun(user, 'count to 600 at 100 per second'),
      ];
      const crawler = harness.bare(user, { resume: { seq: 0 }, url: crawling.url });
      const bursty = harness.bare(user, { resume: { seq: 0 } });
      const tabs = [crawler, bursty, harness.bare(user, { resume: { seq: 0 }, url: slow.url })];
      const healthy = await Promise.all(Array.from({ length: 5 }, () => harness.register()));
      const lags = Promise.all(healthy.map((one) => lagOf(harness, one)));
      await readInBursts(bursty, ({ events }) => runs.every((runId) => events.some(isEndOf(runId))));
      for (const lagMs of await lags) expect(lagMs).toBeLessThan(500);
      // The slowest has lived through more than two silences and is still there; it needs a faster line, no more.
      expect(crawler.closed).toBeUndefined();
      crawling.restore();
      for (const tab of tabs) {
        for (const runId of runs) await tab.until('the end', isEndOf(runId), 60_000);
        expect(textOf(tab.events, runs[0] ?? '')).toHaveLength(2 * MEGABYTE);
        expect(textOf(tab.events, runs[1] ?? '')).toBe(countTo(600));
        expect([tab.gaps, tab.closed]).toEqual([0, undefined]);
      }
    },
    TEST_MS,
  );
});

describe('what was missed', () => {
  it(
    'is read as one page and written with one system call: 1,000 events of 200 bytes',
    async () => {
      await using harness = await createHarness();
      const user = await harness.register();
      const before = harness.bare(user);
      await before.untilControl('caught_up');
      const { cursor } = before;
      before.close();
      await before.untilClosed();
      const { body: thread } = await user.call('POST', '/api/threads', {});
      const title = 'x'.repeat(51);
      for (let n = 1; n < 1_000; n += 1) await user.call('PATCH', `/api/threads/${thread.id}`, { title });
      const calls = { live: [] as number[], behind: [] as number[] };
      for (let round = 0; round < 5; round += 1) {
        calls.live.push((await connectCounting(harness, user)).calls);
        const behind = await connectCounting(harness, user, cursor);
        expect(behind.events).toBe(1_000);
        expect(Math.round(behind.bytes / 1_000)).toBe(200);
        calls.behind.push(behind.calls);
      }
      // Anything else in the process may write, too; the fewest calls are those of the connection alone. The page may
      // even go with the messages around it.
      expect(Math.min(...calls.behind) - Math.min(...calls.live)).toBeLessThanOrEqual(1);
    },
    TEST_MS,
  );

  it('[BR-3] of the progress of a tool is shown by its newest alone, and nothing is a gap', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    const away = harness.bare(user);
    await away.untilControl('caught_up');
    away.cut();
    const runId = await startRun(user, 'wait 1 seconds');
    await endedRun(user, runId);
    const back = harness.bare(user, { resume: away.cursor });
    await back.untilControl('caught_up');
    const progress = back.events.filter(({ type }) => type === 'tool_progress');
    expect(progress).toHaveLength(1);
    expect(progress[0]?.['data']).toMatchObject({ percent: 90 });
    expect(progress[0]?.from).toBe((progress[0]?.seq ?? 0) - 8);
    expect(back.gaps).toBe(0);
  });
});

function isEndOf(runId: string): (message: BareMessage) => boolean {
  return (message) => message.type === 'agent_completed' && message.runId === runId;
}

/** The text of a run that counts. */
function countTo(last: number): string {
  return Array.from({ length: last }, (_, index) => index + 1).join(' ');
}

/** How long it takes, from now on, until the server has found so many connections to be dead. */
async function untilClosed(harness: Harness, count = 1): Promise<number> {
  const begunAtMs = performance.now();
  await until(30_000, `${count} closes`, async () => {
    const metrics = await harness.metrics();
    const closes = ['4508', '1006'].map((code) => metrics.get(`runwire_closes_total{code="${code}"}`) ?? 0);
    return closes.reduce((sum, one) => sum + one, 0) >= count;
  });
  return performance.now() - begunAtMs;
}

/** Reads for a moment, and then for a while not, until everything is there. */
async function readInBursts(tab: BareClient, isDone: (tab: BareClient) => boolean): Promise<void> {
  while (!isDone(tab)) {
    tab.pauseReading();
    await pause(SILENCE_MS / 2);
    tab.resumeReading();
    await pause(100);
  }
}

/** How late a user's events come while a run speaks to it: 99 of 100 come earlier. */
async function lagOf(harness: Harness, user: HttpUser): Promise<number> {
  const tab = harness.bare(user);
  await tab.untilControl('caught_up');
  const lags: number[] = [];
  tab.socket.on('message', (data: Buffer) => {
    const [first] = [JSON.parse(data.toString()) as BareMessage].flat();
    if (first?.['at'] !== undefined) lags.push(Date.now() - first['at']);
  });
  const runId = await startRun(user, 'count to 250 at 50 per second');
  await tab.until('the end', isEndOf(runId));
  return lags.sort((a, b) => a - b)[Math.floor(lags.length * 0.99)] ?? 0;
}

/** Connects and catches up: what came, and the system calls by which the server wrote anything meanwhile. */
async function connectCounting(
  harness: Harness,
  user: HttpUser,
  resume?: BareClient['cursor'],
): Promise<{ readonly events: number; readonly bytes: number; readonly calls: number }> {
  const before = await writeCalls(harness);
  const tab = harness.bare(user, resume === undefined ? {} : { resume });
  let bytes = 0;
  tab.socket.on('message', (data: Buffer) => {
    if (data.includes('"thread_updated"')) bytes += data.byteLength;
  });
  await tab.untilControl('caught_up');
  const calls = (await writeCalls(harness)) - before;
  const events = tab.events.length;
  tab.close();
  await tab.untilClosed();
  await harness.atRest();
  return { events, bytes, calls };
}

/** Counted by the operating system, not by the server. */
async function writeCalls(harness: Harness): Promise<number> {
  const io = await readFile(`/proc/${harness.server.pid}/io`, 'utf8');
  return Number(/^syscw: (\d+)$/m.exec(io)?.[1]);
}

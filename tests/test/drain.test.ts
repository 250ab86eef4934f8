import { describe, expect, it } from '@jest/globals';
import type { RunwireClient } from '@runwire/client';
import { type BareClient, callHttp, createHarness, type HttpUser, until } from '../harness/index.js';

const USERS_OF_A_KIND = 10;
const SHUTDOWN_MS = 4_000;
const WINDOW_MS = 1_000;
/** For the process itself to go, on a machine that has other things to do. */
const EXIT_MS = 1_000;
const ENV = {
  RUNWIRE_SHUTDOWN_TIMEOUT_MS: String(SHUTDOWN_MS),
  RUNWIRE_DRAIN_WINDOW_MS: String(WINDOW_MS),
};
const TEST_MS = 180_000;

/** What users are waiting for when the server is told to stop, and how that ends. */
const KINDS = [
  { content: 'count to 100 at 100 per second', agent: 'demo', status: 'completed', attempt: 1 },
  { content: 'count to 3000 at 100 per second', agent: 'demo', status: 'interrupted', attempt: 1 },
  { content: 'say it 500 times', agent: 'begins-again', status: 'completed', attempt: 2 },
] as const;

interface Talker {
  readonly user: HttpUser;
  readonly client: RunwireClient;
  readonly runId: string;
  readonly kind: (typeof KINDS)[number];
}

describe('a server that is told to stop under load', () => {
  it(
    '[ST-2] drains: clients stay until it goes and come back by themselves, runs end or are handed over, exit 0',
    async () => {
      await using harness = await createHarness({ network: {}, env: ENV, faults: {} });
      const users = await Promise.all(
        Array.from({ length: USERS_OF_A_KIND * KINDS.length }, () => harness.register()),
      );
      const watcher = await harness.register();
      const tab = harness.bare(watcher);
      await tab.untilControl('caught_up');
      const talkers = await Promise.all(
        users.map((user, index) => startTalking(user, harness.client(user, { start: 'beginning' }), index)),
      );

      const { server } = harness;
      const toldAtMs = performance.now();
      server.signal('SIGTERM');
      await seesTheDrain(server.url, tab, watcher);
      expect(await server.exited).toBe(0);
      expect(performance.now() - toldAtMs).toBeLessThan(SHUTDOWN_MS + EXIT_MS);
      // Nobody was sent away while there was something to see.
      expect((await tab.untilClosed()).code).toBe(1012);
      expect(performance.now() - toldAtMs).toBeGreaterThan(WINDOW_MS);

      await harness.restart();
      const ended = ['completed', 'interrupted'];
      for (const { user, runId, kind } of talkers) {
        let run = { status: '', attempt: 0 };
        await until(30_000, `the end of "${kind.content}"`, async () => {
          run = (await user.call('GET', `/api/runs/${runId}`)).body;
          return ended.includes(run.status);
        });
        expect([kind.content, run.status, run.attempt]).toEqual([kind.content, kind.status, kind.attempt]);
      }
      // The audit compares what every client was handed with the log: all of it, once, in order, on one epoch.
      const { problems, resets } = await harness.audit();
      expect({ problems, resets }).toEqual({ problems: [], resets: 0 });
    },
    TEST_MS,
  );

  it(
    '[ST-2] with nothing to do it is gone as soon as its clients had the window to leave',
    async () => {
      await using harness = await createHarness({ network: {}, env: ENV });
      const user = await harness.register();
      const tab = harness.bare(user);
      await tab.untilControl('caught_up');
      const toldAtMs = performance.now();
      harness.server.signal('SIGTERM');
      const { reconnectAfterMs } = await tab.untilControl('server_draining');
      expect(reconnectAfterMs).toBeLessThan(WINDOW_MS);
      expect(await harness.server.exited).toBe(0);
      const tookMs = performance.now() - toldAtMs;
      expect(tookMs).toBeGreaterThanOrEqual(WINDOW_MS);
      expect(tookMs).toBeLessThan(SHUTDOWN_MS);
    },
    TEST_MS,
  );
});

async function startTalking(user: HttpUser, client: RunwireClient, index: number): Promise<Talker> {
  const kind = KINDS[index % KINDS.length] ?? KINDS[0];
  let isSpeaking = false;
  client.on('agent_delta', () => {
    isSpeaking = true;
  });
  await client.connect();
  const { runId } = await client.send({ content: kind.content, agent: kind.agent });
  await until(20_000, `the beginning of "${kind.content}"`, () => isSpeaking);
  return { user, client, runId, kind };
}

/** What a client written from the protocol's text is told while the server drains, and what it is refused. */
async function seesTheDrain(url: string, tab: BareClient, user: HttpUser): Promise<void> {
  const draining = await tab.untilControl('server_draining');
  expect(draining['reconnectAfterMs']).toBeLessThan(WINDOW_MS);
  expect(draining['deadlineAtMs']).toBeGreaterThan(Date.now());
  const ready = await callHttp(url, { method: 'GET', path: '/health/ready' });
  expect(ready).toMatchObject({ status: 503, body: { ready: false, missing: ['stopping'] } });
  // There is no other node to go to: the new connection is refused, and this one stays.
  const probe = await callHttp(url, { method: 'GET', path: '/ws' });
  expect([probe.status, probe.headers.get('retry-after')]).toEqual([503, expect.any(String)]);
  tab.send({ type: 'user_message', id: 'too-late', content: 'what is 1 + 1?' });
  const rejected = await tab.untilControl('command_rejected');
  expect(rejected).toMatchObject({ ref: 'too-late', error: { code: 'NOT_READY', retryable: true } });
  const { status } = await user.call('POST', '/api/threads', {});
  expect(status).toBe(201);
  expect(tab.closed).toBeUndefined();
}

import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import {
  type BareClient,
  callHttp,
  createHarness,
  type Harness,
  type HttpUser,
  pause,
  until,
} from '../harness/index.js';

/** How long the server listens and is not ready: what a slow dependency does. */
const READY_DELAY_MS = 2_000;
const KNOCK_MS = 50;
/** From being ready to saying so. */
const WORD_MS = 1_000;

describe('a server that starts', () => {
  it('[QA-1, WS-2, ST-1] sockets are accepted before start-up is done: until then each is refused with when to come back, and the first that is let in is answered', async () => {
    const PORT = String(await freePort());
    const faults = { readyDelayMs: READY_DELAY_MS };
    await using harness = await createHarness({ network: {}, env: { PORT }, faults });
    const user = await harness.register();
    // Behind the server is work to take up again: a run that a kill -9 has left in its midst.
    const before = harness.bare(user);
    await before.untilControl('caught_up');
    before.send({ type: 'chat', content: 'count to 3000 at 100 per second' });
    await before.until('an answer under way', ({ type }) => type === 'agent_delta');
    await harness.server.stop('SIGKILL');

    // Users who had the page open all along: what they send meanwhile waits for the server.
    const waiting = harness.client(user);
    const connected = waiting.connect();
    const sent = waiting.send({ content: 'what is 6 * 7?' });
    let readyAtMs = Number.POSITIVE_INFINITY;
    const [, door] = await Promise.all([
      harness.restart().finally(() => {
        readyAtMs = performance.now();
      }),
      knockAt(harness, user, `http://127.0.0.1:${PORT}`, () => readyAtMs < performance.now()),
    ]);
    expect(door.letInAtMs.filter((atMs) => atMs < readyAtMs - WORD_MS)).toEqual([]);
    // Otherwise nobody came between, and the delay has proved nothing.
    expect(door.refusals.length).toBeGreaterThan(5);
    for (const { retryAfter, body } of door.refusals) {
      expect([retryAfter, body]).toMatchObject([
        expect.stringMatching(/^[1-9]\d*$/),
        { error: { code: 'NOT_READY' } },
      ]);
    }

    await connected;
    const { runId } = await sent;
    await until(10_000, 'the answer', async () => {
      return (await user.call('GET', `/api/runs/${runId}`)).body.status === 'completed';
    });
    const first = harness.bare(user);
    await first.untilControl('caught_up');
    first.send({ type: 'chat', id: 'first', content: 'test' });
    await first.untilControl('command_accepted');
    expect(first.control.filter(({ type }) => type === 'error')).toEqual([]);
  });
});

/** What knocking at a server in start has met. */
interface Door {
  /** When connections were established. */
  readonly letInAtMs: readonly number[];
  /** What those were told that came to a server that listened and was not ready. */
  readonly refusals: readonly { readonly retryAfter: string | null; readonly body: unknown }[];
}

/** Connects again and again, and asks as often why that fails, as clients do. */
async function knockAt(harness: Harness, user: HttpUser, url: string, isOver: () => boolean): Promise<Door> {
  const letInAtMs: number[] = [];
  const refusals: { retryAfter: string | null; body: unknown }[] = [];
  while (!isOver()) {
    const tab = harness.bare(user, { url });
    await settled(tab);
    if (tab.control.length > 0) letInAtMs.push(performance.now());
    tab.cut();
    // Nobody listens yet, at first.
    const asked = await callHttp(url, { method: 'GET', path: '/ws' }).catch(() => undefined);
    if (asked?.status === 503)
      refusals.push({ retryAfter: asked.headers.get('retry-after'), body: asked.body });
    await pause(KNOCK_MS);
  }
  return { letInAtMs, refusals };
}

/** Settles when the connection was refused or has been told that it stands. */
async function settled(tab: BareClient): Promise<void> {
  await until(5_000, 'an answer', () => tab.closed !== undefined || tab.control.length > 0);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

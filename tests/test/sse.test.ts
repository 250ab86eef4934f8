import { describe, expect, it } from '@jest/globals';
import { emitTo } from '../faults/stopped-reader.js';
import { endedRun, startRun } from '../harness/http-run.js';
import {
  type BareConnection,
  type BareMessage,
  type BareSse,
  createHarness,
  type Harness,
  type HttpUser,
  pause,
  textOf,
  until,
  within,
} from '../harness/index.js';

const TEST_MS = 120_000;
const MEGABYTE = 1_000_000;
const PING = '{"type":"ping","n":7}';
const COUNT_300 = Array.from({ length: 300 }, (_, index) => index + 1).join(' ');

/** A tenth of the protocol's times. */
const SCALED = { RUNWIRE_HEARTBEAT_INTERVAL_MS: '2000', RUNWIRE_SILENCE_TIMEOUT_MS: '3000' };
const SILENCE_MS = 3_000;
const CLOSE_MS = 2_000;

describe('a stream of server-sent events', () => {
  it('[BR-1, BR-2] brings the five events in order and the answer 14; its ids are cursors', async () => {
    await using harness = await createHarness();
    const client = await caughtUp(harness, await harness.register());
    const { status, body } = await client.post({ type: 'chat', id: 'c1', content: 'what is 2 + 3 * 4?' });
    expect([status, body]).toMatchObject([200, { type: 'command_accepted', ref: 'c1' }]);
    const end = await client.until('the end', isEndOf(body.result.runId));
    expect(client.events.map(({ type }) => type).filter((type) => type !== 'agent_delta')).toEqual([
      'thread_created',
      'message_added',
      'agent_started',
      'agent_thinking',
      'tool_executing',
      'tool_completed',
      'agent_completed',
    ]);
    expect(end['data'].result).toContain('14');
    expect(textOf(client.events, body.result.runId)).toBe(end['data'].result);
    const { epoch, seq, id } = client.cursor;
    expect(client.eventIds.at(-1)).toBe(`${epoch}:${seq}:${id}`);
    const seqs = client.eventIds.map((eventId) => Number(eventId.split(':')[1]));
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect([client.duplicates, client.gaps]).toEqual([0, 0]);
  });

  it.each(['query', 'header'] as const)(
    '[BR-4] resumes in the middle of a count by its %s, and from the beginning',
    async (resumeIn) => {
      await using harness = await createHarness();
      const user = await harness.register();
      const first = await caughtUp(harness, user);
      const { body } = await first.post({ type: 'chat', content: 'count to 300 at 100 per second' });
      const { runId } = body.result;
      await first.until('the middle', (event) => event.type === 'agent_delta' && event['data'].offset > 300);
      first.cut();
      await pause(300);
      const second = harness.bareSse(user, { resume: first.cursor, resumeIn });
      await second.until('the end', isEndOf(runId));
      expect(second.control[0]).toMatchObject({ resume: { mode: 'replay', from: first.cursor.seq + 1 } });
      expect(textOf([...first.events, ...second.events], runId)).toBe(COUNT_300);
      const third = harness.bareSse(user, { resume: { seq: 0 } });
      await third.untilControl('caught_up');
      expect(textOf(third.events, runId)).toBe(COUNT_300);
      expect([first, second, third].map(({ duplicates, gaps }) => duplicates + gaps)).toEqual([0, 0, 0]);
    },
  );

  it('[BR-3, BR-6] gives what a WebSocket beside it gives, and stops a run that the other began', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    const tabs: readonly BareConnection[] = [
      harness.bare(user),
      harness.bareSse(user),
      harness.bareSse(user),
    ];
    for (const tab of tabs) await tab.untilControl('caught_up');
    const runId = await startRun(user, 'count to 3000 at 100 per second');
    await tabs[0]?.until('the beginning', ({ type }) => type === 'agent_delta');
    const stopping = harness.bareSse(user, { resume: { seq: 0 } });
    await stopping.untilControl('caught_up');
    const stopped = await stopping.post({ type: 'stop_agent', id: 's1', runId });
    expect([stopped.status, stopped.body]).toMatchObject([200, { type: 'command_accepted', ref: 's1' }]);
    const ends = await Promise.all([...tabs, stopping].map((tab) => tab.until('the end', isEndOf(runId))));
    expect(ends.map((end) => end['data'].status)).toEqual(Array(4).fill('cancelled'));
    const [text, ...others] = [...tabs, stopping].map((tab) => textOf(tab.events, runId));
    expect(others).toEqual([text, text, text]);
  });

  it('recovers from a cursor of another log by reset, and from a gap by resync', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    await endedRun(user, await startRun(user, 'what is 1 + 1?'));
    const foreign = harness.bareSse(user, { resume: { epoch: 'e', seq: 3, id: 'x' }, resumeIn: 'header' });
    const { resume, stream } = (await foreign.untilControl('connection_established')) as BareMessage;
    expect(resume).toMatchObject({ mode: 'reset', reason: 'epoch' });
    const again = await foreign.post({ type: 'resync', id: 'r1', epoch: stream.epoch, seq: stream.head });
    expect([again.status, again.body]).toEqual([202, '']);
    await foreign.until('the answer', ({ ref, type }) => type === 'caught_up' && ref === 'r1');
    const ahead = await foreign.post({ type: 'ack', seq: stream.head + 1 });
    expect([ahead.status, ahead.body]).toMatchObject([200, { type: 'error', code: 'INVALID_MESSAGE' }]);
  });

  it('takes the place of the connection it replaces, once it has caught up', async () => {
    await using harness = await createHarness({ env: { RUNWIRE_MAX_CONNECTIONS_PER_USER: '1' } });
    const user = await harness.register();
    const old = await caughtUp(harness, user);
    const replaces = String(old.control[0]?.['connectionId']);
    const young = harness.bareSse(user, { resume: old.cursor, replaces });
    await young.untilControl('caught_up');
    expect((await old.untilClosed()).code).toBe(1000);
    const oldest = await caughtUp(harness, user);
    expect((await young.untilClosed()).code).toBe(4409);
    expect(oldest.closed).toBeUndefined();
  });

  it('[CP-1] is refused 429 above the limit of its address, until another has gone', async () => {
    await using harness = await createHarness({ env: { RUNWIRE_MAX_CONNECTIONS_PER_IP: '2' } });
    const user = await harness.register();
    const tabs: readonly BareConnection[] = [await caughtUp(harness, user), harness.bare(user)];
    await tabs[1]?.untilControl('caught_up');
    const { status, headers, body } = await harness.bareSse(user).answered();
    expect([status, body.error.code]).toEqual([429, 'RATE_LIMITED']);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    tabs[1]?.cut();
    await until(5_000, 'a place', async () => (await harness.bareSse(user).answered()).status === 200);
  });

  it('[AU-2, AU-5] is refused 401 without a token and with a wrong one, 403 from a foreign origin', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    for (const [token, code] of [
      ['', 'UNAUTHENTICATED'],
      ['wrong', 'TOKEN_INVALID'],
    ] as const) {
      const { status, body, headers } = await harness.bareSse(undefined, { token }).answered();
      expect([status, body.error.code, headers['www-authenticate']]).toEqual([401, code, 'Bearer']);
    }
    const origin = { origin: 'https://evil.example.org' };
    const foreign = await harness.bareSse(user, { headers: origin }).answered();
    expect([foreign.status, foreign.body.error.code]).toEqual([403, 'FORBIDDEN']);
    await user.call('POST', '/auth/logout');
    expect((await harness.bareSse(user).answered()).body.error.code).toBe('TOKEN_INVALID');
  });

  it('[AU-4] ends with 4403 within 2 s of the sign-out, and what is posted for it meanwhile is answered', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    const client = await caughtUp(harness, user);
    const posts = Array.from({ length: 30 }, (_, n) =>
      client.post({ type: 'stop_agent', id: `s${n}`, runId: 'run_x' }),
    );
    const signedOutAtMs = performance.now();
    expect((await user.call('POST', '/auth/logout')).status).toBe(204);
    expect((await client.untilClosed()).code).toBe(4403);
    expect(performance.now() - signedOutAtMs).toBeLessThan(2_000);
    const statuses = await within(5_000, 'every answer', Promise.all(posts));
    for (const { status } of statuses) expect([200, 401, 404, 503]).toContain(status);
    expect((await client.post(PING)).status).toBe(401);
  });

  it('[AU-3] takes a new token by a post and loses nothing; without one it ends with 4401', async () => {
    await using harness = await createHarness({
      env: { RUNWIRE_ACCESS_TOKEN_LIFETIME_MS: '3000', RUNWIRE_TOKEN_GRACE_MS: '1000' },
    });
    const user = await harness.register();
    const [fresh, stale] = [await caughtUp(harness, user), await caughtUp(harness, user)];
    const { runId } = (await fresh.post({ type: 'chat', content: 'count to 300 at 50 per second' })).body
      .result;
    const { body } = await user.call('POST', '/auth/refresh', { refreshToken: user.refreshToken });
    // A second later, so that the new token lives on when the old one has ended.
    await pause(1_500);
    const later = await user.call('POST', '/auth/refresh', { refreshToken: body.refreshToken });
    fresh.useToken(later.body.accessToken);
    const refreshed = await fresh.post({ type: 'refresh_token', id: 'r1', token: later.body.accessToken });
    expect([refreshed.status, refreshed.body]).toMatchObject([200, { type: 'auth_refreshed', ref: 'r1' }]);
    expect(await stale.untilClosed()).toEqual({ code: 4401, reason: 'TOKEN_EXPIRED' });
    expect(fresh.closed).toBeUndefined();
    await fresh.untilClosed();
    const last = harness.bareSse(user, { resume: fresh.cursor, token: await signIn(harness, user) });
    await last.until('the end', isEndOf(runId));
    expect(textOf([...fresh.events, ...last.events], runId)).toBe(COUNT_300);
  });
});

describe('what is posted', () => {
  it('[AU-2] finds no stream of another user, none that has ended, and no WebSocket', async () => {
    await using harness = await createHarness();
    const [user, other] = [await harness.register(), await harness.register()];
    const [mine, theirs] = [await caughtUp(harness, user), await caughtUp(harness, other)];
    const socket = harness.bare(user);
    await socket.untilControl('caught_up');
    const idOf = (connection: BareConnection): string => String(connection.control[0]?.['connectionId']);
    for (const id of [idOf(theirs), idOf(socket), 'con_unknown', '']) {
      const { status, body } = await mine.post(PING, { 'runwire-connection': id });
      expect([status, body.error.code]).toEqual([404, 'NOT_FOUND']);
    }
    expect((await mine.post(PING)).body).toEqual({ type: 'pong', n: 7 });
    mine.cut();
    await until(5_000, 'the end of the stream', async () => (await mine.post(PING)).status === 404);
    expect(theirs.control.filter(({ type }) => type === 'pong')).toEqual([]);
  });

  it('is answered each with its own answer, whatever else is under way, and once', async () => {
    await using harness = await createHarness({ env: { RUNWIRE_MAX_RUNS_PER_USER: '50' } });
    const client = await caughtUp(harness, await harness.register());
    const ids = Array.from({ length: 20 }, (_, n) => `c${n}`);
    const chat = (id: string) => client.post({ type: 'chat', id, content: 'what is 1 + 1?' });
    const answers = await Promise.all(ids.map(chat));
    expect(answers.map(({ status, body }) => [status, body.ref])).toEqual(ids.map((id) => [200, id]));
    const repeated = await chat('c0');
    expect(repeated.body).toEqual(answers[0]?.body);
    for (const { body } of answers) {
      if (body.type === 'command_accepted') await client.until('the end', isEndOf(body.result.runId));
    }
  });

  it('[WS-6] that is bad is answered as documented, keeps the stream within its limits, and ends it beyond', async () => {
    await using harness = await createHarness();
    const client = await caughtUp(harness, await harness.register());
    const bad: readonly (readonly [string | Buffer, number, string])[] = [
      ['{"type":', 200, 'INVALID_JSON'],
      ['{"type":"dance"}', 200, 'UNKNOWN_MESSAGE_TYPE'],
      ['[1]', 200, 'INVALID_MESSAGE'],
      [`{"type":"ping","x":${'['.repeat(33)}${']'.repeat(33)}}`, 200, 'INVALID_MESSAGE'],
      [JSON.stringify({ type: 'chat', content: 'x'.repeat(65_536) }), 413, 'MESSAGE_TOO_LARGE'],
      [JSON.stringify({ type: 'chat', content: 'é'.repeat(32_768) }), 413, 'MESSAGE_TOO_LARGE'],
      [Buffer.from([0x22, 0xc3, 0x28, 0x22]), 400, 'INVALID_JSON'],
    ];
    for (const [message, status, code] of bad) {
      const answer = await client.post(message);
      expect([answer.status, answer.body.code ?? answer.body.error.code]).toEqual([status, code]);
    }
    expect((await client.post(PING.padEnd(65_536))).body).toEqual({ type: 'pong', n: 7 });
    const broken = await client.post({ type: 'user_message', id: 'm1', content: 7 });
    expect(broken.body).toMatchObject({ ref: 'm1', error: { code: 'INVALID_MESSAGE' } });
    for (let n = 5; n < 20; n += 1) await client.post('{');
    expect(client.closed).toBeUndefined();
    await client.post('{');
    expect((await client.untilClosed()).code).toBe(4400);
    expect(client.events).toEqual([]);
  });
});

describe('a stream and the time', () => {
  it(
    '[WS-8] lives as long as something is posted for it, and ends after the silence limit otherwise',
    async () => {
      await using harness = await createHarness({ env: SCALED });
      const user = await harness.register();
      const [alive, silent] = [harness.bareSse(user), harness.bareSse(user, { pings: false, acks: false })];
      for (const tab of [alive, silent]) await tab.untilControl('caught_up');
      const begunAtMs = performance.now();
      await silent.untilClosed();
      const lastedMs = performance.now() - begunAtMs;
      expect(lastedMs).toBeGreaterThan(SILENCE_MS - 1_000);
      expect(lastedMs).toBeLessThan(SILENCE_MS + CLOSE_MS);
      await until(20_000, 'three heartbeats', () => {
        return alive.control.filter(({ type }) => type === 'heartbeat').length >= 3;
      });
      expect([alive.closed, alive.comments >= 3]).toEqual([undefined, true]);
    },
    TEST_MS,
  );

  it(
    '[BR-5] that is not read costs the server no more than 8 MB over one that is, and has everything when it is',
    async () => {
      const connect = (harness: Harness, user: HttpUser) => harness.bareSse(user);
      const reading = await emitTo('reading', 1, connect);
      const stopped = await emitTo('stopped', 1, connect);
      expect(stopped.usedBytes - reading.usedBytes).toBeLessThanOrEqual(8 * MEGABYTE);
      expect([reading.readBytes, stopped.readBytes]).toEqual([10 * MEGABYTE, 10 * MEGABYTE]);
      expect([...reading.report.problems, ...stopped.report.problems]).toEqual([]);
    },
    TEST_MS,
  );

  it("[BR-4, WS-8] carries the project's own client through silence limits and a cut", async () => {
    await using harness = await createHarness({ env: SCALED, network: {} });
    const user = await harness.register();
    const client = harness.client(user, { transport: 'sse' });
    await client.connect();
    const { runId } = await client.send({ content: 'count to 400 at 50 per second' });
    let cutAt = 0;
    const ended = new Promise<void>((resolve) => {
      client.onEvent((event) => {
        if (event.type === 'agent_completed' && event.runId === runId) resolve();
        // Behind the silence limit, in the middle of the answer.
        if (event.type !== 'agent_delta' || cutAt > 0 || event.data.offset < 800) return;
        cutAt = event.seq;
        harness.proxy.cut();
      });
    });
    await within(60_000, 'the end', ended);
    expect(cutAt).toBeGreaterThan(0);
    expect(client.stats).toMatchObject({ duplicates: 0, gaps: 0, resets: 0, connections: 2 });
  });

  it("[BR-3] is what the project's own client turns to when one WebSocket hangs, and it has everything", async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    await endedRun(user, await startRun(user, 'what is 2 + 3 * 4?'));
    let tried = 0;
    class HangingSocket {
      readonly readyState = 0;
      constructor() {
        tried += 1;
      }
      send(): void {}
      close(): void {}
      addEventListener(): void {}
    }
    const client = harness.client(user, {
      webSocket: HangingSocket,
      connectTimeoutMs: 500,
      start: 'beginning',
    });
    const seen: string[] = [];
    client.onEvent(({ type }) => seen.push(type));
    await within(20_000, 'the connection', client.connect());
    expect([client.transport, tried]).toEqual(['sse', 1]);
    expect([seen[0], seen.at(-1)]).toEqual(['thread_created', 'agent_completed']);
  });

  it('[ST-2] is told of the end of its server, ends with 1012, and does not keep the server from ending', async () => {
    await using harness = await createHarness({
      env: { RUNWIRE_SHUTDOWN_TIMEOUT_MS: '4000', RUNWIRE_DRAIN_WINDOW_MS: '500' },
    });
    const client = await caughtUp(harness, await harness.register());
    const toldAtMs = performance.now();
    const exit = harness.server.stop();
    await client.untilControl('server_draining');
    expect((await client.untilClosed()).code).toBe(1012);
    expect(await exit).toBe(0);
    expect(performance.now() - toldAtMs).toBeLessThan(5_000);
  });
});

async function caughtUp(harness: Harness, user: HttpUser): Promise<BareSse> {
  const client = harness.bareSse(user);
  await client.untilControl('caught_up');
  return client;
}

function isEndOf(runId: string): (message: BareMessage) => boolean {
  return (message) => message.type === 'agent_completed' && message.runId === runId;
}

async function signIn(harness: Harness, { email, password }: HttpUser): Promise<string> {
  const answer = await fetch(new URL('/auth/login', harness.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  return ((await answer.json()) as { readonly accessToken: string }).accessToken;
}

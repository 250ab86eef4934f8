import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { TOKENS } from '../../src/composition/tokens.js';
import { type Composed, type ComposeOptions, compose, type SignedIn } from '../support/composed.js';
import { openStream, type Stream } from '../support/sse.js';
import { callHttp } from '../support/started.js';

/** A composed server that listens, with one user. */
interface Listening extends AsyncDisposable {
  readonly composed: Composed;
  readonly port: number;
  readonly user: SignedIn;
}

async function listening(options: ComposeOptions = {}): Promise<Listening> {
  const composed = await compose(options);
  const user = await composed.register('ada');
  await composed.router.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = composed.router.app.server.address() as AddressInfo;
  return { composed, port, user, [Symbol.asyncDispose]: () => composed[Symbol.asyncDispose]() };
}

/** A stream that has caught up, and its connection's id. */
async function caughtUp({ port, user }: Listening, query?: string) {
  const stream = await openStream(port, user.headers, query === undefined ? {} : { query });
  await stream.hear(({ type }) => type === 'caught_up');
  return { stream, id: String(stream.said[0]?.['connectionId']) };
}

/** Gives the user a first event. */
async function addThread({
  port,
  user: { accessToken: token },
}: Listening): Promise<{ readonly id: string }> {
  const { body } = await callHttp(`http://127.0.0.1:${port}`, 'POST', '/api/threads', { token, body: {} });
  return body;
}

/** Posts a body as it is. */
async function post(
  { port, user }: Pick<Listening, 'port' | 'user'>,
  id: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
) {
  const response = await fetch(`http://127.0.0.1:${port}/api/commands`, {
    method: 'POST',
    headers: {
      ...user.headers,
      'content-type': 'application/json',
      ...(id === '' ? {} : { 'runwire-connection': id }),
      ...headers,
    },
    body,
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? text : JSON.parse(text) };
}

const PING = '{"type":"ping","n":7}';

describe('GET /api/stream', () => {
  it('[BR-3] is the connection that a WebSocket is, from the first event on', async () => {
    await using server = await listening();
    const thread = await addThread(server);
    const { stream } = await caughtUp(server);
    using _ = stream;
    expect([stream.status, stream.headers['content-type']]).toEqual([200, 'text/event-stream']);
    expect(stream.said.map(({ type }) => type)).toEqual([
      'connection_established',
      'thread_created',
      'caught_up',
    ]);
    expect(stream.said[1]).toMatchObject({ seq: 1, threadId: thread.id });
    expect(stream.lastEventId).toMatch(/^[^:]+:1:evt_/);
    expect(server.composed.router.stats()).toMatchObject({ pool: { connections: 1, users: 1 } });
  });

  it('carries the headers of every answer, and keeps no session of the database', async () => {
    await using server = await listening();
    const { stream } = await caughtUp(server);
    using _ = stream;
    expect(stream.headers).toMatchObject({
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.stringMatching(/^req_/),
    });
    expect(stream.headers).not.toHaveProperty('x-ratelimit-limit');
    expect(server.composed.scope.get(TOKENS.sessions).stats.open).toBe(0);
  });

  it('[WS-2] [AU-2] is refused as an upgrade is: not ready 503, foreign origin 403, no good token 401', async () => {
    let ready = false;
    const readiness = () => (ready ? ({ ready } as const) : ({ ready, missing: ['pool'] } as const));
    await using server = await listening({ readiness });
    const refused = await openStream(server.port, {});
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    ready = true;
    const foreign = { ...server.user.headers, origin: 'https://evil.example' };
    expect((await openStream(server.port, foreign)).status).toBe(403);
    for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
      const anonymous = await openStream(server.port, headers);
      expect([anonymous.status, anonymous.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    }
    expect((await openStream(server.port, server.user.headers, { method: 'HEAD' })).status).toBe(404);
    expect(server.composed.router.stats().pool.reservations).toBe(0);
  });

  it('[CP-1] counts as a connection: 429 above the limit of its address, 4409 for the oldest of its user', async () => {
    const environment = {
      RUNWIRE_MAX_CONNECTIONS_PER_USER: '2',
      RUNWIRE_MAX_CONNECTIONS_PER_IP: '4',
    };
    await using server = await listening({ environment });
    const first = await caughtUp(server);
    await caughtUp(server);
    await caughtUp(server);
    expect(await first.stream.closed).toBe(4409);
    const other = await server.composed.register('bob');
    const open: Stream[] = [];
    for (let n = 0; n < 2; n += 1) open.push(await openStream(server.port, other.headers));
    const full = await openStream(server.port, other.headers);
    expect([full.status, Number(full.headers['retry-after'])]).toEqual([429, expect.any(Number)]);
    open[0]?.[Symbol.dispose]();
    while (server.composed.router.stats().pool.reservations > 3) await new Promise(setImmediate);
    expect((await openStream(server.port, other.headers)).status).toBe(200);
  });

  it('takes the place of the connection that it replaces once it has caught up', async () => {
    await using server = await listening({ environment: { RUNWIRE_MAX_CONNECTIONS_PER_USER: '1' } });
    const old = await caughtUp(server);
    using replacement = (await caughtUp(server, `?seq=0&replaces=${old.id}`)).stream;
    expect(await old.stream.closed).toBe(1000);
    expect(replacement.status).toBe(200);
  });

  it('resumes by Last-Event-ID, and is reset when that names no cursor', async () => {
    await using server = await listening();
    await addThread(server);
    const { stream } = await caughtUp(server);
    const lastEventId = stream.lastEventId ?? '';
    stream[Symbol.dispose]();
    const resumeWith = async (id: string) => {
      using again = await openStream(server.port, { ...server.user.headers, 'last-event-id': id });
      return (await again.hear(({ type }) => type === 'connection_established'))['resume'];
    };
    expect(await resumeWith(lastEventId)).toEqual({ mode: 'live', from: 2 });
    expect(await resumeWith('nonsense')).toMatchObject({ mode: 'reset', reason: 'epoch' });
    expect(await resumeWith(lastEventId.replace(/[^:]+$/, 'evt_x'))).toMatchObject({ reason: 'fork' });
    using repeated = await openStream(server.port, server.user.headers, { query: '?seq=1&seq=2' });
    expect(repeated.status).toBe(200);
  });
});

describe('POST /api/commands', () => {
  it('answers in its response what a WebSocket answers in a frame', async () => {
    await using server = await listening();
    const { stream, id } = await caughtUp(server);
    using _ = stream;
    const say = (message: object) => post(server, id, JSON.stringify(message));
    expect(await say({ type: 'ping', n: 7 })).toEqual({ status: 200, body: { type: 'pong', n: 7 } });
    const asked = await say({ type: 'chat', id: 'c1', content: 'what is 2 + 3 * 4?' });
    expect(asked).toMatchObject({ status: 200, body: { type: 'command_accepted', ref: 'c1' } });
    const end = await stream.hear(({ type }) => type === 'agent_completed');
    expect(end['runId']).toBe(asked.body.result.runId);
    expect(stream.said.filter(({ type }) => type === 'command_accepted')).toEqual([]);
    expect(await say({ type: 'ack', seq: end['seq'] })).toEqual({ status: 204, body: '' });
    expect(await say({ type: 'ack', seq: 99_999 })).toMatchObject({
      status: 200,
      body: { type: 'error', code: 'INVALID_MESSAGE' },
    });
    expect(await say({ type: 'stop_agent', id: 'c2', runId: 'run_x' })).toMatchObject({
      status: 200,
      body: { type: 'command_rejected', ref: 'c2', error: { code: 'RUN_NOT_FOUND' } },
    });
    expect(stream.said.filter(({ type }) => type === 'error' || type === 'command_rejected')).toEqual([]);
  });

  it('answers 202 to a resync, whose events come on the stream; one too many is refused in the response', async () => {
    await using server = await listening();
    await addThread(server);
    const { stream, id } = await caughtUp(server);
    using _ = stream;
    const epoch = stream.lastEventId?.split(':')[0];
    const resync = (ref: string) =>
      post(server, id, JSON.stringify({ type: 'resync', id: ref, epoch, seq: 0 }));
    for (let n = 0; n < 6; n += 1) {
      expect(await resync(`r${n}`)).toEqual({ status: 202, body: '' });
      await stream.hear(({ ref, type }) => type === 'caught_up' && ref === `r${n}`);
    }
    expect(await resync('r6')).toMatchObject({
      status: 200,
      body: { type: 'command_rejected', ref: 'r6', error: { code: 'RATE_LIMITED' } },
    });
  });

  it('[WS-6] bounds its body as a message, answers what is no message, and the stream stays', async () => {
    await using server = await listening({ environment: { RUNWIRE_MAX_MESSAGE_BYTES: '1024' } });
    const { stream, id } = await caughtUp(server);
    using _ = stream;
    expect((await post(server, id, PING.padEnd(1_024))).status).toBe(200);
    const large = await post(server, id, PING.padEnd(1_025));
    expect([large.status, large.body.error.code]).toEqual([413, 'MESSAGE_TOO_LARGE']);
    const bad: readonly (readonly [string, string])[] = [
      ['', 'INVALID_JSON'],
      ['{', 'INVALID_JSON'],
      ['\uFEFF{"type":"ping"}', 'INVALID_JSON'],
      ['[1]', 'INVALID_MESSAGE'],
      ['{"type":"dance"}', 'UNKNOWN_MESSAGE_TYPE'],
      ['{"type":"authenticate","token":"x"}', 'INVALID_MESSAGE'],
      [`{"type":"ping","x":${'['.repeat(33)}${']'.repeat(33)}}`, 'INVALID_MESSAGE'],
    ];
    for (const [body, code] of bad) {
      expect(await post(server, id, body)).toMatchObject({ status: 200, body: { type: 'error', code } });
    }
    const notText = await post(server, id, Buffer.from([0x22, 0xc3, 0x28, 0x22]));
    expect([notText.status, notText.body.error.code]).toEqual([400, 'INVALID_JSON']);
    expect((await post(server, id, PING, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post(server, id, PING)).body).toEqual({ type: 'pong', n: 7 });
  });

  it('[AU-2] needs a token, and finds the streams of its own user alone', async () => {
    await using server = await listening();
    const { stream, id } = await caughtUp(server);
    using _ = stream;
    const bob = await server.composed.register('bob');
    const notFound = { status: 404, body: { error: { code: 'NOT_FOUND', requestId: expect.any(String) } } };
    expect(await post({ ...server, user: bob }, id, PING)).toMatchObject(notFound);
    expect(await post(server, '', PING)).toMatchObject(notFound);
    expect(await post(server, 'con_unknown', PING)).toMatchObject(notFound);
    for (const authorization of ['', 'Bearer wrong']) {
      expect((await post(server, id, PING, { authorization })).status).toBe(401);
    }
    stream[Symbol.dispose]();
    while (server.composed.router.stats().pool.connections > 0) await new Promise(setImmediate);
    expect(await post(server, id, PING)).toMatchObject(notFound);
  });

  it('[WS-9] counts against the limits of its connection, and against those of HTTP when it has none', async () => {
    await using server = await listening({ environment: { RUNWIRE_MAX_REQUESTS_PER_MINUTE: '5' } });
    const { stream, id } = await caughtUp(server);
    using _ = stream;
    for (let n = 0; n < 20; n += 1) expect((await post(server, id, PING)).status).toBe(200);
    // The registration was the first request of the minute.
    for (let n = 1; n < 5; n += 1) expect((await post(server, 'con_unknown', PING)).status).toBe(404);
    expect((await post(server, 'con_unknown', PING)).status).toBe(429);
    expect((await post(server, id, PING)).status).toBe(200);
  });

  it('that waits when its stream ends is told so, and may be repeated', async () => {
    await using server = await listening();
    const { stream, id } = await caughtUp(server);
    using _ = stream;
    const close = { code: 4508, reason: '', initiator: 'server' } as const;
    server.composed.router.sockets.receive = async () => ({ kind: 'closed', close });
    expect(await post(server, id, PING)).toMatchObject({
      status: 503,
      body: { error: { code: 'NOT_READY', message: 'The stream ended with 4508 before the answer.' } },
    });
  });

  it('[AU-4] is refused from the sign-out on, which ends the stream with 4403', async () => {
    await using server = await listening();
    const { stream, id } = await caughtUp(server);
    const base = `http://127.0.0.1:${server.port}`;
    const { status } = await callHttp(base, 'POST', '/auth/logout', { token: server.user.accessToken });
    expect(status).toBe(204);
    expect(await stream.closed).toBe(4403);
    expect((await post(server, id, PING)).status).toBe(401);
  });
});

describe('the end of the server', () => {
  it('[ST-2] ends its streams with their code, and does not wait for them', async () => {
    await using server = await listening();
    const { stream } = await caughtUp(server);
    await server.composed.router.sockets.close();
    expect(await stream.closed).toBe(1001);
    expect((await openStream(server.port, server.user.headers)).status).toBe(503);
    await server.composed.router.closeHttp(60_000);
  });
});

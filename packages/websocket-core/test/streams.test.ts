import { describe, expect, it } from '@jest/globals';
import { createDeferred, type Deferred } from '@runwire/kernel';
import { createErrorMessage } from '@runwire/protocol';
import type { ClientConnection, PostAnswer, Readiness } from '../src/index.js';
import { createFixture, establish, HOUR_MS, liveCounts, ofType } from './support/fixture.js';
import { createStreamFixture } from './support/stream-fixture.js';

const STREAM = { transport: 'stream', url: '/api/stream' } as const;
const NOT_READY: Readiness = { ready: false, message: 'starting', retryAfterMs: 1_500 };
const FULL = { kind: 'refused', message: 'full', retryAfterMs: 2_000 } as const;
const EVIL = { origin: 'https://evil.example' };
const ACCEPTED = { accepted: { runId: 'run_1', status: 'cancelled' } } as const;
const FLOW = { unackedBytes: 100, largestFrameBytes: 100, sentSeq: 20, headSeq: 30 };

const stop = (id?: string) => ({ type: 'stop_agent', runId: 'run_1', ...(id === undefined ? {} : { id }) });

describe('a request for a stream', () => {
  it('[WS-1] is checked in the order readiness, origin, token, limits', () => {
    const answerTo = (
      world: { readonly ready?: boolean; readonly full?: boolean },
      headers: Readonly<Record<string, string>>,
    ) => {
      const connected = createFixture({
        ...(world.ready === false ? { readiness: () => NOT_READY } : {}),
        ...(world.full === true ? { admission: { reserve: () => FULL } } : {}),
      }).server.connect({ ...STREAM, headers });
      return connected.kind === 'refused' ? connected.answer : undefined;
    };
    expect(answerTo({ ready: false, full: true }, EVIL)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '2' },
    });
    expect(answerTo({ full: true }, EVIL)?.status).toBe(403);
    expect(answerTo({ full: true }, {})).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
      body: expect.stringContaining('"code":"UNAUTHENTICATED"'),
    });
    expect(answerTo({ full: true }, { authorization: 'Bearer x' })?.status).toBe(429);
    expect(answerTo({}, { authorization: 'Bearer x' })).toBeUndefined();
  });

  it('takes its token from the header alone and counts what it refuses', () => {
    const fixture = createFixture();
    const bearer = `bearer.${Buffer.from(fixture.token()).toString('base64url')}`;
    const connected = fixture.server.connect({ ...STREAM, headers: { 'sec-websocket-protocol': bearer } });
    expect(connected).toMatchObject({ kind: 'refused', answer: { status: 401 } });
    expect(fixture.server.stats().refused).toEqual({ token: 1 });
    expect(fixture.places.held).toBe(0);
  });

  it('[AU-2] with a wrong token closes 4401, as a WebSocket does', async () => {
    const fixture = createFixture();
    const peer = fixture.server.accept({ ...STREAM, headers: { authorization: 'Bearer wrong' } });
    await fixture.clock.settle();
    expect(peer.closedWith).toEqual({ code: 4401, reason: 'TOKEN_INVALID' });
    expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
  });

  it('[BR-4] resumes by its query, by Last-Event-ID rather than that, and brings replaces', async () => {
    const fixture = createFixture();
    const ask = async (query: string, headers: Readonly<Record<string, string>> = {}) => {
      const authorization = `Bearer ${fixture.token()}`;
      fixture.server.accept({
        ...STREAM,
        url: `/api/stream${query}`,
        headers: { authorization, ...headers },
      });
      await fixture.clock.settle();
      return fixture.handshakes.at(-1)?.resume;
    };
    const query = '?epoch=e1&seq=4&id=evt_4&replaces=con_1';
    expect(await ask('')).toBeUndefined();
    expect(await ask(query)).toEqual({ epoch: 'e1', seq: 4, id: 'evt_4' });
    expect(await ask(query, { 'last-event-id': 'e1:7:evt_7' })).toEqual({ epoch: 'e1', seq: 7, id: 'evt_7' });
    expect(await ask(query, { 'last-event-id': '' })).toEqual({ epoch: 'e1', seq: 4, id: 'evt_4' });
    expect(await ask(query, { 'last-event-id': 'nonsense' })).toEqual({ epoch: 'nonsense' });
    expect(fixture.admitted.map(({ replaces }) => replaces)).toEqual([undefined, ...Array(4).fill('con_1')]);
  });
});

describe('a posted message', () => {
  it('is answered to its request and not on the stream as well', async () => {
    const { connection, peer, post, server } = await createStreamFixture();
    connection.handleCommand('stop_agent', async () => ACCEPTED);
    const frames = peer.frames.length;
    expect(await post(stop('c1'))).toEqual({
      kind: 'answered',
      message: { type: 'command_accepted', ref: 'c1', result: ACCEPTED.accepted },
    });
    expect(await post({ type: 'ping', n: 3 })).toEqual({
      kind: 'answered',
      message: { type: 'pong', n: 3 },
    });
    expect(peer.frames).toHaveLength(frames);
    expect(server.stats()).toMatchObject({ routed: 1, rejected: {} });
  });

  it('without an answer of its own is taken, and a resync is answered by the stream', async () => {
    const { connection, peer, post } = await createStreamFixture();
    const seen: unknown[] = [];
    connection.handle('ack', ({ seq }) => void seen.push(seq));
    connection.handle('resync', ({ seq }) => {
      seen.push(seq);
      connection.send({ type: 'caught_up', seq: 7 });
    });
    expect(await post({ type: 'ack', seq: 5 })).toEqual({ kind: 'taken' });
    expect(await post({ type: 'resync', id: 'r1', epoch: 'e1', seq: 4 })).toEqual({ kind: 'streamed' });
    expect(seen).toEqual([5, 4]);
    expect(peer.messages.at(-1)).toEqual({ type: 'caught_up', seq: 7 });
  });

  it('that its handler refuses is answered to its request, on a WebSocket on the socket', async () => {
    const refuse = (connection: ClientConnection): void => {
      connection.handle('ack', (_message, answer) => {
        answer(createErrorMessage({ code: 'INVALID_MESSAGE', message: 'never sent' }));
      });
    };
    const stream = await createStreamFixture();
    refuse(stream.connection);
    const message = { type: 'error', code: 'INVALID_MESSAGE' };
    expect(await stream.post({ type: 'ack', seq: 99 })).toMatchObject({ kind: 'answered', message });
    expect(ofType(stream.peer.messages, 'error')).toEqual([]);
    const socket = await createFixture().ready();
    refuse(socket.connection);
    socket.peer.send({ type: 'ack', seq: 99 });
    expect(socket.peer.messages.at(-1)).toMatchObject(message);
  });

  it('[AU-3] brings a new token, and none of another user', async () => {
    const fixture = await createStreamFixture();
    const { connection, post, clock, peer } = fixture;
    const before = connection.sessionId;
    const refresh = (fresh: string) => post({ type: 'refresh_token', id: 'r', token: fresh });
    expect(await refresh(fixture.token(connection.userId, HOUR_MS))).toMatchObject({
      kind: 'answered',
      message: { type: 'auth_refreshed', ref: 'r', expiresAtMs: clock.nowMs() + HOUR_MS },
    });
    expect(connection.sessionId).not.toBe(before);
    expect(await refresh('wrong')).toMatchObject({
      kind: 'answered',
      message: { type: 'command_rejected', ref: 'r', error: { code: 'TOKEN_INVALID' } },
    });
    expect(await refresh(fixture.token())).toMatchObject({ kind: 'closed', close: { code: 4403 } });
    expect(peer.closedWith?.code).toBe(4403);
  });

  it('[WS-6] that is bad is answered and counted as on a socket: the 21st in a minute closes 4400', async () => {
    const { peer, post } = await createStreamFixture();
    const codes: unknown[] = [];
    for (const bad of [
      '{',
      '[]',
      { type: 'dance' },
      { type: 'authenticate', token: 't' },
      ' '.repeat(65_537),
    ]) {
      const answer = await post(bad);
      codes.push(
        answer.kind === 'answered' && answer.message.type === 'error' ? answer.message.code : answer,
      );
    }
    expect(codes).toEqual([
      'INVALID_JSON',
      'INVALID_MESSAGE',
      'UNKNOWN_MESSAGE_TYPE',
      'INVALID_MESSAGE',
      'MESSAGE_TOO_LARGE',
    ]);
    for (let n = codes.length; n < 20; n += 1) await post('{');
    expect(peer.closedWith).toBeUndefined();
    expect(await post('{')).toMatchObject({ kind: 'answered', message: { code: 'INVALID_JSON' } });
    expect(peer.closedWith?.code).toBe(4400);
    expect(await post('{')).toEqual({ kind: 'unknown' });
  });

  it('[WS-9] counts against the limits of a socket: commands of the user, acks and pings of the connection', async () => {
    const fixture = await createStreamFixture();
    const { connection, peer, post } = fixture;
    const other = await fixture.ready(connection.userId);
    for (const each of [connection, other.connection]) each.handleCommand('stop_agent', async () => ACCEPTED);
    for (let n = 0; n < 30; n += 1) other.peer.send(stop());
    for (let n = 0; n < 30; n += 1) await post(stop());
    expect(await post(stop('c61'))).toMatchObject({
      kind: 'answered',
      message: {
        type: 'command_rejected',
        ref: 'c61',
        error: { code: 'RATE_LIMITED', retryAfterMs: 60_000 },
      },
    });
    for (let n = 0; n < 100; n += 1) expect((await post({ type: 'ping' })).kind).toBe('answered');
    expect(await post({ type: 'ping' })).toEqual({ kind: 'taken' });
    for (let n = 101; n < 1_000; n += 1) await post({ type: 'ping' });
    expect(peer.closedWith).toBeUndefined();
    await post({ type: 'ping' });
    expect(peer.closedWith?.code).toBe(4429);
  });

  for (const count of [16, 17]) {
    it(`that comes before the connection is open waits; ${count} are ${count === 16 ? 'answered in order' : 'one too many'}`, async () => {
      const open = createDeferred();
      const handled: unknown[] = [];
      const { clock, peer, post } = await createStreamFixture({
        open: async (connection) => {
          connection.handleCommand('stop_agent', async ({ id }) => {
            handled.push(id);
            return ACCEPTED;
          });
          establish(connection);
          await open.promise;
        },
      });
      const ids = Array.from({ length: count }, (_, n) => `c${n}`);
      const answers = ids.map((id) => post(stop(id)));
      await clock.settle();
      expect(handled).toEqual([]);
      open.resolve();
      const kinds = (await Promise.all(answers)).map(({ kind }) => kind);
      if (count === 16) expect([handled, new Set(kinds)]).toEqual([ids, new Set(['answered'])]);
      else expect([peer.closedWith?.code, new Set(kinds)]).toEqual([4400, new Set(['closed'])]);
    });
  }

  it("[WS-5] is settled by the end of its connection, whoever ends it; what it comes to later is nobody's", async () => {
    for (const [leave, code] of [
      ['vanish', 1006],
      ['close', 4403],
    ] as const) {
      const fixture = await createStreamFixture();
      const { clock, connection, logger, peer, post } = fixture;
      const reply = createDeferred<typeof ACCEPTED>();
      connection.handleCommand('stop_agent', () => reply.promise);
      const waiting = post(stop('c1'));
      await clock.settle();
      if (leave === 'vanish') peer.vanish();
      else connection.close(code);
      expect(await waiting).toMatchObject({ kind: 'closed', close: { code } });
      reply.resolve(ACCEPTED);
      await clock.settle();
      expect(logger.lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
      // What the user's commands of the last minute count goes with the server.
      await fixture.server.close();
      expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
    }
  });

  it('does not wait for another: each gets its own answer', async () => {
    const { clock, connection, post } = await createStreamFixture();
    const replies = new Map<string | undefined, Deferred<typeof ACCEPTED>>();
    connection.handleCommand('stop_agent', ({ id }) => {
      const reply = createDeferred<typeof ACCEPTED>();
      replies.set(id, reply);
      return reply.promise;
    });
    const [first, second] = [post(stop('c1')), post(stop('c2'))];
    await clock.settle();
    replies.get('c2')?.resolve(ACCEPTED);
    const refOf = (answer: PostAnswer) =>
      answer.kind === 'answered' && answer.message.type === 'command_accepted' ? answer.message.ref : answer;
    expect(refOf(await second)).toBe('c2');
    replies.get('c1')?.resolve(ACCEPTED);
    expect(refOf(await first)).toBe('c1');
  });

  it("for another's stream, for no stream and for a WebSocket finds nothing", async () => {
    const fixture = await createStreamFixture();
    const { connection, ids, post, server } = fixture;
    const { userId } = connection;
    const socket = await fixture.ready(userId);
    const text = '{"type":"ping"}';
    expect(await post(text, ids.userId())).toEqual({ kind: 'unknown' });
    for (const connectionId of [ids.connectionId(), '', '__proto__', socket.connection.id]) {
      expect(await server.receive({ userId, connectionId, text })).toEqual({ kind: 'unknown' });
    }
    expect([connection.id, socket.connection.id].map((id) => server.hasStream(id))).toEqual([true, false]);
    expect(ofType(socket.peer.messages, 'pong')).toEqual([]);
  });
});

describe('a stream', () => {
  it('[WS-8] lives by what is posted for it: 30 s after the last post it ends, heartbeats or not', async () => {
    const fixture = await createStreamFixture();
    const { clock, connection, peer, post } = fixture;
    for (let n = 0; n < 4; n += 1) {
      await clock.advance(29_999);
      await post({ type: 'ping' });
    }
    expect(ofType(peer.messages, 'heartbeat').length).toBeGreaterThan(3);
    await clock.advance(29_999);
    expect(connection.isOpen).toBe(true);
    await clock.advance(1);
    expect(connection.isOpen).toBe(false);
    await clock.settle();
    expect(fixture.server.stats().closed).toEqual({ 1006: 1 });
    expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
  });

  it('[WS-8] with acks outstanding ends 4508; a post for another connection is no life of it', async () => {
    const fixture = await createStreamFixture();
    const { clock, connection, peer, post, server } = fixture;
    const headers = { authorization: `Bearer ${fixture.token(connection.userId)}` };
    const other = server.accept({ ...STREAM, headers });
    await clock.advance(20_000);
    connection.reportInFlight(FLOW);
    await server.receive({ userId: connection.userId, connectionId: 'none', text: '{"type":"ping"}' });
    await clock.advance(10_000);
    expect([peer.closedWith?.code, other.closedWith?.code]).toEqual([4508, 1006]);
    expect(await post({ type: 'ping' })).toEqual({ kind: 'unknown' });
  });

  it('[AU-3] whose token is not refreshed ends with 4401, 25 s after the expiry', async () => {
    const fixture = createFixture();
    const headers = { authorization: `Bearer ${fixture.token(undefined, 60_000)}` };
    const peer = fixture.server.accept({ ...STREAM, headers });
    await fixture.clock.settle();
    const [connection] = fixture.opened;
    for (let n = 0; n < 84; n += 1) {
      await fixture.clock.advance(1_000);
      await fixture.server.receive({
        userId: connection?.userId ?? fixture.ids.userId(),
        connectionId: connection?.id ?? '',
        text: '{"type":"ping"}',
      });
    }
    expect(peer.closedWith).toBeUndefined();
    await fixture.clock.advance(1_000);
    expect(peer.closedWith).toEqual({ code: 4401, reason: 'TOKEN_EXPIRED' });
  });

  it('tells its low mark as a WebSocket does', async () => {
    const { connection, peer } = await createStreamFixture();
    let drained = 0;
    connection.onDrain(() => {
      drained += 1;
    });
    peer.pauseReading();
    connection.sendFrames([Buffer.alloc(65_536, 32)]);
    expect(connection.bufferedBytes).toBe(65_536);
    peer.resumeReading();
    expect([drained, connection.bufferedBytes]).toEqual([1, 0]);
  });

  it('is drained and closed with its server: none new, then 1012', async () => {
    const fixture = await createStreamFixture();
    const drained = fixture.server.drain({ timeoutMs: 5_000 });
    const headers = { authorization: `Bearer ${fixture.token()}` };
    expect(fixture.server.connect({ ...STREAM, headers })).toMatchObject({ answer: { status: 503 } });
    expect((await fixture.post({ type: 'ping' })).kind).toBe('answered');
    await fixture.clock.advance(5_000);
    await drained;
    expect(fixture.peer.closedWith?.code).toBe(1012);
    expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
  });
});

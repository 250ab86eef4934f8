import { once } from 'node:events';
import { Agent, IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { CodedError, createDeferred } from '@runwire/kernel';
import { createErrorBody } from '@runwire/protocol';
import type { ClientConnection } from '../src/index.js';
import { createHttpFixture, type HttpFixture } from './support/http-fixture.js';
import { askForStream, readStream, type StreamReader } from './support/stream-reader.js';

/** A stream that has received `connection_established`. */
async function ready(
  fixture: HttpFixture,
  agent?: Agent,
): Promise<{ readonly reader: StreamReader; readonly connection: ClientConnection }> {
  const token = fixture.ports.token();
  const reader = readStream(
    await askForStream(fixture, { token, ...(agent === undefined ? {} : { agent }) }),
  );
  await reader.until(({ data }) => data?.includes('connection_established') === true);
  const connection = fixture.ports.opened.at(-1);
  if (connection === undefined) throw new Error('not opened');
  return { reader, connection };
}

const closeOf = (connection: ClientConnection): Promise<number> => {
  const closed = createDeferred<number>();
  connection.onClose(({ code }) => closed.resolve(code));
  return closed.promise;
};

describe('a stream over HTTP', () => {
  it('begins with connection_established, under headers that keep everybody on the way from buffering', async () => {
    await using fixture = await createHttpFixture();
    const { reader } = await ready(fixture);
    expect(reader.response.statusCode).toBe(200);
    expect(reader.response.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-request-id': 'req_1',
    });
    expect(reader.response.headers['content-encoding']).toBeUndefined();
    expect(reader.received).toHaveLength(1);
    reader.response.destroy();
  });

  it('[AU-2] whose token is refused is answered 401 with its code; what fails otherwise ends with its close code', async () => {
    const failures = new Map<string, Error>([
      ['old', new CodedError('TOKEN_EXPIRED', 'secret cause')],
      ['wrong', new CodedError('TOKEN_INVALID', 'secret cause')],
      ['forbidden', new CodedError('FORBIDDEN', 'secret cause')],
      ['broken', new Error('secret cause')],
    ]);
    await using fixture = await createHttpFixture({
      authenticate: async (token) => {
        throw failures.get(token) ?? new Error('no such token');
      },
    });
    const answerTo = async (token: string) => {
      const response = await askForStream(fixture, { token });
      return [response.statusCode, Buffer.concat(await response.toArray()).toString()];
    };
    for (const [token, code] of [
      ['old', 'TOKEN_EXPIRED'],
      ['wrong', 'TOKEN_INVALID'],
    ] as const) {
      const { message } = createErrorBody(code);
      expect(await answerTo(token)).toEqual([401, JSON.stringify({ error: { code, message } })]);
    }
    const closed = (code: number, reason: string): string =>
      `event: close\ndata: ${JSON.stringify({ code, reason })}\n\n`;
    expect(await answerTo('forbidden')).toEqual([200, closed(4403, 'FORBIDDEN')]);
    expect(await answerTo('broken')).toEqual([200, closed(4500, 'server error')]);
    expect(fixture.server.stats().closed).toEqual({ 4401: 2, 4403: 1, 4500: 1 });
  });

  it('that is refused is answered with the status and body of a refused upgrade', async () => {
    await using fixture = await createHttpFixture({
      readiness: () => ({ ready: false, message: 'starting', retryAfterMs: 1_000 }),
    });
    const response = await askForStream(fixture, { token: 'any' });
    const body: Buffer[] = await response.toArray();
    expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '1']);
    expect(response.headers['x-request-id']).toBe('req_1');
    expect(Buffer.concat(body).toString()).toBe('{"error":{"code":"NOT_READY","message":"starting"}}');
  });

  it('delivers each frame as one event: its text as it is, with the cursor of its last event as id', async () => {
    await using fixture = await createHttpFixture();
    const { connection, reader } = await ready(fixture);
    const event = (seq: number): string =>
      `{"type":"x","seq":${seq},"id":"evt_${seq}","at":1,"data":"ü 🙂 \\n"}`;
    const texts = [event(8), `[${event(9)},${event(10)}]`, '{"type":"caught_up","seq":10}'];
    const frames = texts.map((text) => Buffer.from(text));
    connection.sendFrames(frames);
    await reader.until(({ data }) => data === texts[2]);
    expect(reader.received.slice(1)).toEqual([
      { id: 'e1:8:evt_8', data: texts[0] },
      { id: 'e1:10:evt_10', data: texts[1] },
      { data: texts[2] },
    ]);
    expect(reader.received[0]?.['id']).toBeUndefined();
    // The frames may be shared between connections.
    expect(frames.map(String)).toEqual(texts);
    reader.response.destroy();
  });

  it('[WS-8] writes a comment where a WebSocket would ping, beside each heartbeat', async () => {
    await using fixture = await createHttpFixture(
      {},
      { limits: { heartbeatIntervalMs: 20, silenceTimeoutMs: 10_000 } },
    );
    const { reader } = await ready(fixture);
    await reader.until(({ data }) => data?.includes('"heartbeat"') === true);
    expect(reader.received[1]).toEqual({ comment: ':' });
    reader.response.destroy();
  });

  it('[WS-7] ends with a last event that says why, and leaves its TCP connection to the next request', async () => {
    await using fixture = await createHttpFixture();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { connection, reader } = await ready(fixture, agent);
    connection.close(4403, 'signed "out"');
    expect(connection.isOpen).toBe(false);
    connection.sendFrames([Buffer.from('{"late":1}')]);
    expect(await reader.ended).toBe(true);
    expect(reader.received.at(-1)).toEqual({
      event: 'close',
      data: '{"code":4403,"reason":"signed \\"out\\""}',
    });
    const next = await ready(fixture, agent);
    expect(next.reader.socket).toBe(reader.socket);
    expect(fixture.server.stats()).toMatchObject({ connections: { ready: 1 }, closed: { 4403: 1 } });
    agent.destroy();
  });

  it('takes posts while it lives, and is closed with the server', async () => {
    await using fixture = await createHttpFixture();
    const { connection, reader } = await ready(fixture);
    const { id: connectionId, userId } = connection;
    const ping = { userId, connectionId, text: '{"type":"ping","n":1}' };
    expect(await fixture.server.receive(ping)).toEqual({
      kind: 'answered',
      message: { type: 'pong', n: 1 },
    });
    await fixture.server.close();
    expect(await reader.ended).toBe(true);
    expect(reader.received.at(-1)).toEqual({
      event: 'close',
      data: '{"code":1001,"reason":"server going away"}',
    });
    expect(await fixture.server.receive(ping)).toEqual({ kind: 'unknown' });
    expect((await askForStream(fixture, { token: 'any' })).statusCode).toBe(503);
  });

  it('counts what the kernel has not taken, and tells when it falls below the low mark', async () => {
    await using fixture = await createHttpFixture();
    const { connection, reader } = await ready(fixture);
    reader.socket.pause();
    const chunk = Buffer.from(JSON.stringify(' '.repeat(262_142)));
    let sent = 0;
    while (connection.bufferedBytes < 1_048_576) {
      connection.sendFrames([chunk]);
      sent += 1;
      await turn();
    }
    const drained = createDeferred<number>();
    connection.onDrain(() => drained.resolve(connection.bufferedBytes));
    reader.socket.resume();
    expect(await drained.promise).toBeLessThan(65_536);
    while (reader.received.length < sent + 1) await turn();
    reader.response.destroy();
  });

  it('ends at once when the peer resets it, or ends its side though it reads nothing of what is still to come', async () => {
    await using fixture = await createHttpFixture();
    for (const leave of ['resetAndDestroy', 'end'] as const) {
      const { connection, reader } = await ready(fixture);
      reader.socket.pause();
      connection.sendFrames([Buffer.alloc(16_777_216, 32)]);
      const closed = closeOf(connection);
      reader.socket[leave]();
      expect(await closed).toBe(1006);
      reader.socket.destroy();
    }
  });

  it('is destroyed one second after a close that the peer does not read', async () => {
    await using fixture = await createHttpFixture();
    const { connection, reader } = await ready(fixture);
    reader.socket.pause();
    connection.sendFrames([Buffer.alloc(16_777_216, 32)]);
    const startedAtMs = performance.now();
    connection.close(1000);
    await fixture.server.close();
    expect(performance.now() - startedAtMs).toBeGreaterThan(900);
    expect(fixture.server.stats()).toMatchObject({ connections: { draining: 0 }, closed: { 1000: 1 } });
    reader.socket.destroy();
  });

  it('takes no place for a peer that has gone before it is asked for', async () => {
    await using fixture = await createHttpFixture();
    const socket = fixture.raw();
    await once(socket, 'connect');
    const request = new IncomingMessage(socket);
    const response = new ServerResponse(request);
    response.destroy();
    fixture.server.handleStream(request, response);
    expect([fixture.server.stats().accepted, fixture.ports.places.held]).toEqual([0, 0]);
    socket.destroy();
  });

  it('[WS-3] [WS-5] 500 times, in every state, leaves no handler, timer, listener or place', async () => {
    await using fixture = await createHttpFixture({
      authenticate: async (token) => {
        if (token === 'hang') await new Promise<never>(() => {});
        return fixture.ports.principal();
      },
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const serverSide: { listenerCount(name: string): number }[] = [];
    fixture.http.on('connection', (socket) => void serverSide.push(socket));
    for (let n = 0; n < 100; n += 1) {
      const kept = await ready(fixture, agent);
      kept.connection.close(1000);
      await kept.reader.ended;
      const cut = await ready(fixture);
      cut.reader.response.destroy();
      const hanging = fixture.raw();
      hanging.write('GET /api/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer hang\r\n\r\n', () =>
        hanging.destroy(),
      );
      await once(hanging, 'close');
      const reset = readStream(await askForStream(fixture, { token: fixture.ports.token() }));
      reset.socket.resetAndDestroy();
      await reset.ended;
      expect((await askForStream(fixture, {})).statusCode).toBe(401);
    }
    // All streams that said goodbye went over one TCP connection: nothing of them stayed on it.
    expect(serverSide[0]?.listenerCount('end')).toBeLessThan(5);
    agent.destroy();
    await fixture.server.close();
    const { connections, handlers, timers } = fixture.server.stats();
    expect({ connections, handlers, timers, places: fixture.ports.places.held }).toEqual({
      connections: { accepting: 0, authenticating: 0, admitting: 0, ready: 0, draining: 0 },
      handlers: 0,
      timers: 0,
      places: 0,
    });
    expect(fixture.ports.logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
  }, 60_000);
});

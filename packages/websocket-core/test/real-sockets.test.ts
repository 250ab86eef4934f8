import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { CodedError, createDeferred } from '@runwire/kernel';
import type { WebSocket } from 'ws';
import type { ClientConnection } from '../src/index.js';
import { establish } from './support/fixture.js';
import { createHttpFixture, ended, frame, type HttpFixture, handshakeText } from './support/http-fixture.js';

/** Sends raw bytes on an established connection and says how the server closed it. */
async function closeCodeOf(fixture: HttpFixture, ...frames: readonly Uint8Array[]): Promise<number> {
  const socket = fixture.raw();
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.write(handshakeText(fixture.ports.token()));
  while (!Buffer.concat(chunks).includes('connection_established')) await once(socket, 'data');
  for (const each of frames) socket.write(each);
  await once(socket, 'end');
  const received = Buffer.concat(chunks);
  // A close frame: 0x88, its length, the code. It is the last frame.
  const at = received.lastIndexOf(0x88);
  return received.readUInt16BE(at + 2);
}

async function statusOf(fixture: HttpFixture, headers: Readonly<Record<string, string>>, path = '/ws') {
  const asked = request(fixture.url.replace('ws:', 'http:').replace('/ws', path), {
    headers: { connection: 'Upgrade', upgrade: 'websocket', ...headers },
  });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let body = '';
  for await (const part of response.setEncoding('utf8')) body += part;
  return { status: response.statusCode, body, type: response.headers['content-type'] };
}

describe('an upgrade over HTTP', () => {
  it('[WS-2] that is refused is answered with status and JSON body, and its socket ends', async () => {
    await using fixture = await createHttpFixture({
      readiness: () => ({ ready: false, message: 'starting', retryAfterMs: 1_000 }),
    });
    expect(await statusOf(fixture, {})).toEqual({
      status: 503,
      body: '{"error":{"code":"NOT_READY","message":"starting"}}',
      type: 'application/json; charset=utf-8',
    });
    expect((await statusOf(fixture, {}, '/nowhere')).status).toBe(404);
  });

  it('that is no WebSocket handshake is answered 400 in JSON and gives its place back', async () => {
    await using fixture = await createHttpFixture();
    const answer = await statusOf(fixture, { 'sec-websocket-version': '13', 'sec-websocket-key': 'short' });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'INVALID_MESSAGE' } });
    expect(fixture.ports.places.held).toBe(0);
    expect(fixture.server.stats().refused).toEqual({ malformed: 1 });
  });

  it('is probed with a plain GET', async () => {
    await using fixture = await createHttpFixture();
    const response = await fetch(fixture.url.replace('ws:', 'http:'));
    expect(response.status).toBe(426);
    expect(await response.json()).toMatchObject({ error: { code: 'INVALID_MESSAGE' } });
  });

  it('[AU-5] selects runwire.v1, echoes no token, and never negotiates permessage-deflate', async () => {
    await using fixture = await createHttpFixture();
    const token = fixture.ports.token();
    const entry = `bearer.${Buffer.from(token).toString('base64url')}`;
    const ws = fixture.client({ protocols: [entry, 'runwire.v1'] });
    const [[response]] = await Promise.all([once(ws, 'upgrade'), once(ws, 'message')]);
    expect(JSON.stringify(response.rawHeaders)).not.toContain(entry);
    expect(ws.protocol).toBe('runwire.v1');
    expect(ws.extensions).toBe('');
  });
});

describe('a connection over TCP', () => {
  it('delivers frames in order, together, as text', async () => {
    await using fixture = await createHttpFixture();
    const ws = await fixture.ready();
    const received: [string, boolean][] = [];
    const all = createDeferred();
    ws.on('message', (data: Buffer, isBinary) => {
      received.push([data.toString('utf8'), isBinary]);
      if (received.length === 3) all.resolve();
    });
    const frames = ['{"a":1}', '{"b":"ü"}', '[]'].map((frameText) => Buffer.from(frameText));
    fixture.ports.opened[0]?.sendFrames(frames);
    await all.promise;
    expect(received).toEqual([
      ['{"a":1}', false],
      ['{"b":"ü"}', false],
      ['[]', false],
    ]);
    // The frames may be shared between connections.
    expect(frames.map(String)).toEqual(['{"a":1}', '{"b":"ü"}', '[]']);
  });

  it('[WS-6] closes 1003 on binary, 1007 on invalid UTF-8, 1009 above 1 MiB and above 128 fragments', async () => {
    await using fixture = await createHttpFixture();
    const piece = Buffer.from(' ');
    const fragments = (count: number): Buffer[] =>
      Array.from({ length: count }, (_, n) => frame(n === 0 ? 1 : 0, piece, n === count - 1));
    expect(await closeCodeOf(fixture, frame(2, Buffer.from([1])))).toBe(1003);
    expect(await closeCodeOf(fixture, frame(1, Buffer.from([0xc3, 0x28])))).toBe(1007);
    expect(await closeCodeOf(fixture, frame(1, Buffer.alloc(1_048_577, 32)))).toBe(1009);
    expect(await closeCodeOf(fixture, Buffer.concat(fragments(129)))).toBe(1009);
    expect(await closeCodeOf(fixture, frame(0x0b, piece))).toBe(1002);
    await fixture.server.close();
    expect(fixture.server.stats().closed).toEqual({ 1002: 1, 1003: 1, 1007: 1, 1009: 2 });
  });

  it('[WS-6] stays after 128 fragments, and after 1 MiB, which is answered MESSAGE_TOO_LARGE', async () => {
    await using fixture = await createHttpFixture();
    const ws = await fixture.ready();
    const answers: unknown[] = [];
    const both = createDeferred();
    ws.on('message', (data: Buffer) => {
      answers.push(JSON.parse(data.toString('utf8')));
      if (answers.length === 2) both.resolve();
    });
    const pieces = Buffer.from('{"type":"ping"}'.padEnd(128));
    for (let at = 0; at < 128; at += 1)
      ws.send(pieces.subarray(at, at + 1), { binary: false, fin: at === 127 });
    ws.send(' '.repeat(1_048_576));
    await both.promise;
    expect(answers).toEqual([{ type: 'pong' }, expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' })]);
    expect(ws.readyState).toBe(ws.OPEN);
  });

  it('[WS-6] answers 1,000 pings in one burst, and closes 4429 with the next, read or not', async () => {
    await using fixture = await createHttpFixture();
    const ping = frame(9, Buffer.alloc(125));
    for (const reads of [true, false]) {
      const socket = fixture.raw();
      let received = 0;
      socket.on('data', (chunk) => {
        received += chunk.length;
      });
      socket.write(handshakeText(fixture.ports.token()));
      await once(socket, 'data');
      const connection = fixture.ports.opened.at(-1);
      const closed = createDeferred<number>();
      connection?.onClose(({ code }) => closed.resolve(code));
      const before = received;
      if (!reads) socket.pause();
      socket.write(Buffer.concat(Array.from({ length: 1_000 }, () => ping)));
      // A pong is a ping without its mask.
      while (reads && received - before < 1_000 * (ping.length - 4)) await once(socket, 'data');
      expect(connection?.isOpen).toBe(true);
      socket.write(ping);
      expect(await closed.promise).toBe(4429);
      socket.destroy();
    }
  });

  it('[WS-6] closes 1009 above 8 KiB before authentication, whole or in pieces', async () => {
    await using fixture = await createHttpFixture();
    for (const send of [
      (ws: WebSocket) => ws.send(' '.repeat(8_193)),
      (ws: WebSocket) => {
        ws.send(' '.repeat(8_000), { fin: false });
        ws.send(' '.repeat(193), { fin: false });
      },
    ]) {
      const ws = fixture.client();
      await once(ws, 'open');
      send(ws);
      expect((await ended(ws)).code).toBe(1009);
    }
  });

  it('closes 4408 a peer that sends its first frame byte by byte and never ends it', async () => {
    await using fixture = await createHttpFixture({}, { limits: { authenticationTimeoutMs: 100 } });
    const socket = fixture.raw();
    const chunks: Buffer[] = [];
    const dripping = frame(1, Buffer.alloc(4_096, 32));
    let sent = 0;
    socket.on('data', (chunk) => {
      chunks.push(chunk);
    });
    socket.write(handshakeText('', '/ws').replace(/Authorization.*\r\n/, ''));
    await once(socket, 'data');
    const drip = (): void => {
      if (sent === 1_000 || socket.destroyed) return;
      socket.write(dripping.subarray(sent, sent + 1), () => setImmediate(drip));
      sent += 1;
    };
    drip();
    await once(socket, 'end');
    const received = Buffer.concat(chunks);
    expect(received.readUInt16BE(received.lastIndexOf(0x88) + 2)).toBe(4408);
  });

  it('counts what the kernel has not taken, and tells when it falls below the low mark', async () => {
    await using fixture = await createHttpFixture();
    const ws = await fixture.ready();
    const [connection] = fixture.ports.opened;
    ws.pause();
    const chunk = Buffer.alloc(262_144, 32);
    let sent = 0;
    while (connection !== undefined && connection.bufferedBytes < 1_048_576) {
      connection.sendFrames([chunk]);
      sent += 1;
      await turn();
    }
    const drained = createDeferred<number | undefined>();
    connection?.onDrain(() => drained.resolve(connection.bufferedBytes));
    const all = createDeferred();
    let received = 0;
    ws.on('message', () => {
      received += 1;
      if (received === sent) all.resolve();
    });
    ws.resume();
    expect(await drained.promise).toBeLessThan(65_536);
    await all.promise;
  });

  it('tells both sides when the peer closes, and keeps its code out of the counts when it is its own', async () => {
    await using fixture = await createHttpFixture();
    const closes: unknown[] = [];
    for (const code of [1000, 4999]) {
      const ws = await fixture.ready();
      const closed = createDeferred();
      fixture.ports.opened.at(-1)?.onClose((close) => {
        closes.push(close);
        closed.resolve();
      });
      const end = ended(ws);
      ws.close(code, 'bye');
      await Promise.all([closed.promise, end]);
    }
    expect(closes).toEqual([
      { code: 1000, reason: 'bye', initiator: 'peer' },
      { code: 4999, reason: 'bye', initiator: 'peer' },
    ]);
    await fixture.server.close();
    expect(fixture.server.stats().closed).toEqual({ 1000: 1, other: 1 });
  });

  it('ends at once when the peer resets it, or ends TCP without a close frame', async () => {
    await using fixture = await createHttpFixture();
    for (const leave of ['resetAndDestroy', 'end'] as const) {
      const socket = fixture.raw();
      socket.write(handshakeText(fixture.ports.token()));
      await once(socket, 'data');
      const closed = createDeferred<number>();
      fixture.ports.opened.at(-1)?.onClose(({ code }) => closed.resolve(code));
      socket[leave]();
      expect(await closed.promise).toBe(1006);
    }
  });

  it('ends when the peer ends its side, though it reads nothing of what is still to be sent', async () => {
    await using fixture = await createHttpFixture();
    const socket = fixture.raw();
    socket.write(handshakeText(fixture.ports.token()));
    await once(socket, 'data');
    socket.pause();
    const connection = fixture.ports.opened.at(-1);
    const closed = createDeferred<number>();
    connection?.onClose(({ code }) => closed.resolve(code));
    connection?.sendFrames([Buffer.alloc(16_777_216, 32)]);
    socket.end();
    expect(await closed.promise).toBe(1006);
    socket.destroy();
  });

  it('is destroyed one second after a close that the peer does not answer', async () => {
    await using fixture = await createHttpFixture();
    const ws = await fixture.ready();
    ws.pause();
    const [connection] = fixture.ports.opened;
    const startedAtMs = performance.now();
    connection?.close(1000);
    expect(connection?.isOpen).toBe(false);
    expect(fixture.server.stats().connections.draining).toBe(1);
    await fixture.server.close();
    expect(performance.now() - startedAtMs).toBeGreaterThan(900);
    expect(fixture.server.stats().connections.draining).toBe(0);
  });
});

describe('connecting and disconnecting over TCP', () => {
  const leaving: readonly [string, (fixture: HttpFixture) => Promise<void>][] = [
    [
      'in the middle of the handshake',
      async (fixture) => {
        const socket = fixture.raw();
        await once(socket, 'connect');
        socket.write(handshakeText('x').slice(0, 40));
        socket.destroy();
      },
    ],
    [
      'right behind the handshake',
      async (fixture) => {
        const socket = fixture.raw();
        await once(socket, 'connect');
        socket.end(handshakeText(fixture.ports.token()));
        socket.resume();
        await once(socket, 'close');
      },
    ],
    [
      'before authenticating',
      async (fixture) => {
        const ws = fixture.client();
        await once(ws, 'open');
        ws.terminate();
      },
    ],
    [
      'while authenticating',
      async (fixture) => {
        const ws = fixture.client({ token: 'hang' });
        await once(ws, 'open');
        ws.terminate();
      },
    ],
    [
      'while opening',
      async (fixture) => {
        const ws = fixture.client({ token: 'slow' });
        await once(ws, 'open');
        ws.terminate();
      },
    ],
    [
      'when ready',
      async (fixture) => {
        const ws = await fixture.ready();
        const end = ended(ws);
        ws.close();
        await end;
      },
    ],
    [
      'with a bad token',
      async (fixture) => {
        expect((await ended(fixture.client({ token: 'bad' }))).code).toBe(4401);
      },
    ],
  ];

  const open = async (connection: ClientConnection): Promise<void> => {
    connection.handle('ack', () => {});
    connection.handleCommand('stop_agent', async () => ({ accepted: { runId: 'r', status: 'completed' } }));
    connection.onDrain(() => {});
    connection.onClose(() => {});
    if (connection.sessionId === 'slow') await new Promise<never>(() => {});
    establish(connection);
  };

  const socketResources = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap' || name === 'Timeout').length;

  it('[WS-3] [WS-5] 1,000 times, in every state, leaves no handler, timer, listener, place or socket', async () => {
    const fixture = await createHttpFixture({
      open,
      authenticate: async (token) => {
        if (token === 'hang') await new Promise<never>(() => {});
        if (token === 'bad') throw new CodedError('TOKEN_INVALID', 'bad');
        return { ...fixture.ports.principal(), sessionId: token };
      },
    });
    const listenersBefore = [
      fixture.http.listenerCount('upgrade'),
      process.listenerCount('uncaughtException'),
    ];
    const resourcesBefore = socketResources();
    const cycles = Math.ceil(1_000 / leaving.length / 10);
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      await Promise.all(leaving.flatMap(([, leave]) => Array.from({ length: 10 }, () => leave(fixture))));
    }
    await fixture.server.close();
    const { connections, handlers, timers } = fixture.server.stats();
    expect({ connections, handlers, timers, places: fixture.ports.places.held }).toEqual({
      connections: { accepting: 0, authenticating: 0, admitting: 0, ready: 0, draining: 0 },
      handlers: 0,
      timers: 0,
      places: 0,
    });
    expect([fixture.http.listenerCount('upgrade'), process.listenerCount('uncaughtException')]).toEqual(
      listenersBefore,
    );
    await fixture[Symbol.asyncDispose]();
    // The system takes its time for the last of them when the machine is busy.
    for (let tries = 0; tries < 500 && socketResources() > resourcesBefore; tries += 1) await sleep(10);
    expect(socketResources()).toBeLessThanOrEqual(resourcesBefore);
    expect(fixture.ports.logger.lines.filter((line) => line.level === 'error')).toEqual([]);
  }, 60_000);
});

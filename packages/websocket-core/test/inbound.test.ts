import { describe, expect, it } from '@jest/globals';
import { createDeferred, type Deferred } from '@runwire/kernel';
import { createErrorBody } from '@runwire/protocol';
import { currentContext } from '@runwire/user-context';
import type { ClientConnection, CommandRequest } from '../src/index.js';
import type { MemoryPeer } from '../src/testing/index.js';
import { createFixture, errorCodes, liveCounts, ofType } from './support/fixture.js';

const ACCEPTED = { accepted: { runId: 'run_1', threadId: 'thr_1', messageId: 'msg_1' } } as const;

function answerMessages(connection: ClientConnection): void {
  connection.handleCommand('user_message', async () => ACCEPTED);
}

const say = (id?: string) => ({
  type: 'user_message',
  content: 'hello',
  ...(id === undefined ? {} : { id }),
});

describe('a command', () => {
  it('[WS-4] {"type":"chat","content":"test"} reaches the handler as user_message and is accepted', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    const received: unknown[] = [];
    connection.handleCommand('user_message', async (message) => {
      received.push(message);
      return ACCEPTED;
    });
    peer.send('{"type":"chat","content":"test"}');
    await fixture.clock.settle();
    expect(received).toEqual([expect.objectContaining({ type: 'user_message', content: 'test' })]);
    expect(peer.messages.at(-1)).toEqual({ type: 'command_accepted', ref: null, result: ACCEPTED.accepted });
    expect(errorCodes(peer)).toEqual([]);
  });

  it('[CX-7] runs in its own request context, and its signal aborts when the connection closes', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    const requests: CommandRequest[] = [];
    const seen: unknown[] = [];
    connection.handleCommand('user_message', async (_message, request) => {
      requests.push(request);
      seen.push(currentContext());
      return new Promise<never>(() => {});
    });
    peer.send(say('a'));
    peer.send(say('b'));
    await fixture.clock.settle();
    const contexts = requests.map((request) => request.context);
    expect(seen).toEqual(contexts);
    expect(new Set([connection.context, ...contexts].map((context) => context.requestId)).size).toBe(3);
    for (const context of contexts) {
      expect(context).toMatchObject({ userId: connection.userId, connectionId: connection.id });
    }
    expect(requests.map((request) => request.signal.aborted)).toEqual([false, false]);
    connection.close(1000);
    expect(requests.map((request) => request.signal.aborted)).toEqual([true, true]);
  });

  it('that is rejected is answered command_rejected with its id, error without', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    connection.handleCommand('user_message', async () => ({ rejected: createErrorBody('EMPTY_MESSAGE') }));
    peer.send(say('a'));
    peer.send(say());
    await fixture.clock.settle();
    expect(peer.messages.slice(1)).toMatchObject([
      { type: 'command_rejected', ref: 'a', error: { code: 'EMPTY_MESSAGE' } },
      { type: 'error', code: 'EMPTY_MESSAGE' },
    ]);
  });

  it('whose handler rejects or throws is answered INTERNAL with the id under which the log has the cause', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    connection.handleCommand('user_message', () => Promise.reject(new Error('secret')));
    connection.handleCommand('stop_agent', () => {
      throw new Error('secret');
    });
    peer.send(say('a'));
    peer.send({ type: 'stop_agent', id: 'b', runId: 'run_1' });
    await fixture.clock.settle();
    const rejected = ofType(peer.messages, 'command_rejected');
    expect(rejected.map(({ error, ref }) => `${ref} ${error.code}`).sort()).toEqual([
      'a INTERNAL',
      'b INTERNAL',
    ]);
    expect(peer.frames.join()).not.toContain('secret');
    for (const { error } of rejected) {
      const id = error.details?.['correlationId'];
      expect(fixture.logger.lines).toContainEqual(
        expect.objectContaining({ level: 'error', fields: expect.objectContaining({ requestId: id }) }),
      );
    }
    expect(fixture.server.stats().rejected).toEqual({ handlerThrew: 2 });
  });

  it('that ends after its connection is answered to nobody and logged as debug only', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    const outcomes = [createDeferred<typeof ACCEPTED>(), createDeferred<typeof ACCEPTED>()];
    const waiting = [...outcomes];
    connection.handleCommand('user_message', () => (waiting.shift() as Deferred<typeof ACCEPTED>).promise);
    peer.send(say('a'));
    peer.send(say('b'));
    peer.vanish();
    outcomes[0]?.resolve(ACCEPTED);
    await fixture.clock.settle();
    expect(peer.frames).toHaveLength(1);
    expect(fixture.logger.lines.filter((line) => line.level !== 'debug')).toEqual([]);
    outcomes[1]?.reject(new Error('cause'));
    await fixture.clock.settle();
    expect(peer.frames).toHaveLength(1);
  });
});

describe('a message', () => {
  it('without a handler is answered INTERNAL and logged as an error', async () => {
    const fixture = createFixture();
    const { peer } = await fixture.ready();
    peer.send(say('a'));
    peer.send({ type: 'ack', seq: 1 });
    expect(errorCodes(peer)).toEqual(['INTERNAL', 'INTERNAL']);
    expect(fixture.server.stats().rejected).toEqual({ noHandler: 2 });
    expect(fixture.logger.lines.filter((line) => line.level === 'error')).toHaveLength(2);
  });

  it('whose handler throws does not end the connection', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    connection.handle('ack', () => {
      throw new Error('secret');
    });
    peer.send({ type: 'ack', seq: 1 });
    expect(errorCodes(peer)).toEqual(['INTERNAL']);
    expect(connection.isOpen).toBe(true);
  });

  it('[WS-3] is handled by its own connection only, until its registration is disposed', async () => {
    const fixture = createFixture();
    const [one, two] = [await fixture.ready(), await fixture.ready()];
    const seen: string[] = [];
    const dispose = one.connection.handle('ack', () => void seen.push('one'));
    two.connection.handle('ack', () => void seen.push('two'));
    expect(() => one.connection.handle('ack', () => {})).toThrow(
      expect.objectContaining({ code: 'SOCKET_HANDLER_EXISTS' }),
    );
    two.peer.send({ type: 'ack', seq: 1 });
    dispose();
    dispose();
    one.peer.send({ type: 'ack', seq: 1 });
    expect(seen).toEqual(['two']);
    expect(fixture.server.stats().handlers).toBe(1);
  });

  const bad: readonly [string, string, string][] = [
    ['no JSON', '{', 'INVALID_JSON'],
    ['unknown type', '{"type":"fly"}', 'UNKNOWN_MESSAGE_TYPE'],
    ['broken schema', '{"type":"ack","seq":-1}', 'INVALID_MESSAGE'],
    ['nested 33 deep', `${'['.repeat(33)}${']'.repeat(33)}`, 'INVALID_MESSAGE'],
    ['64 KiB and a byte', `{"type":"ping"}${' '.repeat(65_522)}`, 'MESSAGE_TOO_LARGE'],
    [
      '64 KiB and a byte in wide characters',
      JSON.stringify({ type: 'x', t: 'ü'.repeat(32_760) }),
      'MESSAGE_TOO_LARGE',
    ],
    ['a second authenticate', '{"type":"authenticate","token":"t"}', 'INVALID_MESSAGE'],
  ];
  for (const [name, text, code] of bad) {
    it(`[WS-6] that is bad (${name}) is answered ${code} and the connection stays`, async () => {
      const fixture = createFixture();
      const { connection, peer } = await fixture.ready();
      peer.send(text);
      expect(errorCodes(peer)).toEqual([code]);
      expect(connection.isOpen).toBe(true);
      expect(fixture.server.stats().rejected).toEqual({ [code]: 1 });
    });
  }

  it('[WS-6] of exactly 64 KiB is taken', async () => {
    const { peer } = await createFixture().ready();
    peer.send(`{"type":"ping"}${' '.repeat(65_521)}`);
    expect(peer.messages.at(-1)).toEqual({ type: 'pong' });
  });

  it('[WS-6] that is bad for the 21st time in a minute closes 4400; spread over two minutes it does not', async () => {
    const fixture = createFixture();
    const [fast, slow] = [await fixture.ready(), await fixture.ready()];
    for (let n = 0; n < 20; n += 1) fast.peer.send('{');
    expect(fast.connection.isOpen).toBe(true);
    fast.peer.send('{');
    expect(fast.peer.closedWith?.code).toBe(4400);
    for (let n = 0; n < 40; n += 1) {
      slow.peer.send('{');
      await fixture.clock.advance(3_001);
    }
    expect(slow.connection.isOpen).toBe(true);
  });

  it('[WS-6] that a handler calls invalid counts as bad, too', async () => {
    const { connection, peer } = await createFixture().ready();
    connection.handle('ack', () => connection.send({ type: 'error', ...createErrorBody('INVALID_MESSAGE') }));
    for (let n = 0; n < 21; n += 1) peer.send({ type: 'ack', seq: n });
    expect(peer.closedWith?.code).toBe(4400);
  });

  it('[WS-6] that is binary closes 1003', async () => {
    const fixture = createFixture();
    const { peer } = await fixture.ready();
    peer.sendBinary();
    expect(peer.closedWith?.code).toBe(1003);
  });
});

describe('rates', () => {
  const sendMany = (peer: MemoryPeer, count: number, message: unknown): void => {
    for (let n = 0; n < count; n += 1) peer.send(message);
  };

  it('[WS-9] the 61st command of a user in a minute, over all connections, is RATE_LIMITED and cuts nothing', async () => {
    const fixture = createFixture();
    const userId = fixture.ids.userId();
    const [one, two, other] = [
      await fixture.ready(userId),
      await fixture.ready(userId),
      await fixture.ready(),
    ];
    for (const { connection } of [one, two, other]) answerMessages(connection);
    sendMany(one.peer, 30, say());
    await fixture.clock.advance(10_000);
    sendMany(two.peer, 31, say('c'));
    other.peer.send(say());
    await fixture.clock.settle();
    expect(ofType(two.peer.messages, 'command_accepted')).toHaveLength(30);
    expect(ofType(two.peer.messages, 'command_rejected')).toEqual([
      expect.objectContaining({
        ref: 'c',
        error: expect.objectContaining({ code: 'RATE_LIMITED', retryable: true, retryAfterMs: 50_000 }),
      }),
    ]);
    expect(errorCodes(other.peer)).toEqual([]);
    await fixture.clock.advance(25_000);
    two.peer.sendControl();
    await fixture.clock.advance(24_999);
    two.peer.send(say('early'));
    await fixture.clock.advance(1);
    two.peer.send(say('d'));
    await fixture.clock.settle();
    expect(ofType(two.peer.messages, 'command_accepted')).toHaveLength(31);
  });

  it('[WS-9] is not escaped by connecting again, and the count goes when it no longer matters', async () => {
    const fixture = createFixture();
    const userId = fixture.ids.userId();
    const first = await fixture.ready(userId);
    answerMessages(first.connection);
    sendMany(first.peer, 60, say());
    first.peer.end();
    const second = await fixture.ready(userId);
    answerMessages(second.connection);
    second.peer.send(say());
    await fixture.clock.settle();
    expect(errorCodes(second.peer)).toEqual(['RATE_LIMITED']);
    second.peer.end();
    expect(fixture.server.stats().rateLimitedUsers).toBe(1);
    await fixture.clock.advance(120_000);
    expect(fixture.server.stats().rateLimitedUsers).toBe(0);
    expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
  });

  it('[WS-9] going on after 100 RATE_LIMITED in a minute closes 4429 with the delay in the reason', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    answerMessages(connection);
    sendMany(peer, 160, say());
    expect(connection.isOpen).toBe(true);
    await fixture.clock.advance(1_000);
    peer.send(say());
    expect(peer.closedWith).toEqual({ code: 4429, reason: '{"retryAfterMs":59000}' });
  });

  it('[WS-6] the 101st ack or ping in a second is dropped, and the next second is free again', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    let acks = 0;
    connection.handle('ack', () => {
      acks += 1;
    });
    sendMany(peer, 50, { type: 'ping' });
    sendMany(peer, 51, { type: 'ack', seq: 0 });
    expect([ofType(peer.messages, 'pong').length, acks]).toEqual([50, 50]);
    expect(fixture.server.stats().rejected).toEqual({ dropped: 1 });
    await fixture.clock.advance(1_000);
    peer.send({ type: 'ack', seq: 2 });
    expect(acks).toBe(51);
  });

  it('[BR-4] acks that tell something new are never dropped: what comes next waits for them', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    const acked: number[] = [];
    connection.handle('ack', ({ seq }) => {
      acked.push(seq);
    });
    connection.reportInFlight({ unackedBytes: 0, largestFrameBytes: 0, sentSeq: 1_500, headSeq: 1_500 });
    for (let seq = 1; seq <= 1_500; seq += 1) peer.send({ type: 'ack', seq });
    expect(acked).toHaveLength(1_500);
    sendMany(peer, 101, { type: 'ack', seq: 1_501 });
    expect(acked).toHaveLength(1_600);
    expect(connection.isOpen).toBe(true);
  });

  it('[WS-6] more than 1,000 acks and pings in ten seconds close 4429', async () => {
    const { connection, peer } = await createFixture().ready();
    sendMany(peer, 1_000, { type: 'ping' });
    expect(connection.isOpen).toBe(true);
    peer.send({ type: 'ping' });
    expect(peer.closedWith).toEqual({ code: 4429, reason: '{"retryAfterMs":10000}' });
  });

  it('[WS-6] a flood of WebSocket pings closes 4429', async () => {
    const { peer } = await createFixture().ready();
    for (let n = 0; n < 1_001; n += 1) peer.sendControl();
    expect(peer.closedWith?.code).toBe(4429);
  });
});

describe('ping', () => {
  it('is answered pong with the same n', async () => {
    const { peer } = await createFixture().ready();
    peer.send({ type: 'ping', n: 0 });
    peer.send({ type: 'ping' });
    expect(peer.messages.slice(1)).toEqual([{ type: 'pong', n: 0 }, { type: 'pong' }]);
  });
});

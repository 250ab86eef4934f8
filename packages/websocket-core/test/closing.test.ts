import { describe, expect, it } from '@jest/globals';
import { CLOSE_CODES } from '@runwire/protocol';
import type { CloseInfo } from '../src/index.js';
import { createFixture, establish, liveCounts } from './support/fixture.js';

describe('close', () => {
  it('[WS-1] [WS-3] makes isOpen false and removes handlers, timers and listeners before it returns', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    const order: string[] = [];
    connection.handle('ack', () => void order.push('ack'));
    connection.onDrain(() => void order.push('drain'));
    connection.onClose(() => void order.push(`first, open: ${connection.isOpen}`));
    connection.onClose(() => {
      throw new Error('a disposer that fails');
    });
    connection.onClose(() => void order.push('last'));
    const undo = connection.onClose(() => void order.push('undone'));
    undo();
    undo();
    connection.close(1000, 'done');
    expect(order).toEqual(['last', 'first, open: false']);
    expect(fixture.server.stats()).toMatchObject({ handlers: 0, connections: { draining: 1 } });
    peer.send({ type: 'ack', seq: 1 });
    await fixture.clock.settle();
    expect(order).toHaveLength(2);
    expect(peer.closedWith).toEqual({ code: 1000, reason: 'done' });
    expect(fixture.logger.lines.filter((line) => line.level === 'error')).toHaveLength(1);
    expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
  });

  it('destroys the socket one second later when the peer does not answer', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    peer.answersClose = false;
    connection.close(1000);
    await fixture.clock.advance(999);
    expect(fixture.server.stats().connections.draining).toBe(1);
    expect(fixture.places.held).toBe(1);
    await fixture.clock.advance(1);
    expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
    expect(fixture.server.stats().closed).toEqual({ 1000: 1 });
  });

  it('happens once: the first code and reason count', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    const closes: CloseInfo[] = [];
    connection.onClose((close) => void closes.push(close));
    connection.close(4409, 'first');
    connection.close(1000, 'second');
    peer.end(1000);
    peer.vanish();
    await fixture.clock.settle();
    connection.close(1000);
    connection.onClose((close) => void closes.push(close));
    const expected = { code: 4409, reason: 'first', initiator: 'server' };
    expect(closes).toEqual([expected, expected]);
    expect(connection.state).toBe('closed');
  });

  it('[WS-7] takes the codes of the table and refuses any other, and 1006', async () => {
    for (const code of Object.keys(CLOSE_CODES).map(Number)) {
      const { connection, peer } = await createFixture().ready();
      if (code === 1006) continue;
      connection.close(code);
      expect(peer.closedWith?.code).toBe(code);
    }
    const { connection } = await createFixture().ready();
    for (const code of [0, 999, 1005, 1006, 1008, 1015, 4000, 4999, 5000, Number.NaN]) {
      expect(() => connection.close(code)).toThrow(
        expect.objectContaining({ code: 'SOCKET_INVALID_CLOSE_CODE' }),
      );
    }
    expect(connection.isOpen).toBe(true);
  });

  it('cuts its reason to 123 bytes, between characters', async () => {
    for (const [reason, fitted] of [
      ['x'.repeat(123), 'x'.repeat(123)],
      ['x'.repeat(124), 'x'.repeat(123)],
      ['ü'.repeat(62), 'ü'.repeat(61)],
      ['🙂'.repeat(31), '🙂'.repeat(30)],
    ] as const) {
      const { connection, peer } = await createFixture().ready();
      connection.close(1000, reason);
      expect(peer.closedWith?.reason).toBe(fitted);
    }
  });

  it('makes everything else a no-op', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    const flow = { unackedBytes: 1, sentSeq: 1, headSeq: 1 };
    connection.reportInFlight({ ...flow, largestFrameBytes: 262_144 });
    connection.close(1000);
    const frames = peer.frames.length;
    connection.send({ type: 'pong' });
    connection.sendFrames([Buffer.from('x')]);
    establish(connection);
    connection.reportInFlight({ ...flow, largestFrameBytes: 1 });
    connection.handle('ack', () => {})();
    connection.handleCommand('stop_agent', async () => ({ accepted: { runId: 'r', status: 'completed' } }));
    await fixture.clock.settle();
    connection.reportInFlight({ ...flow, largestFrameBytes: 0 });
    expect(peer.frames).toHaveLength(frames);
    expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
  });

  it('from a handler in the middle of held frames leaves the rest unhandled', async () => {
    const fixture = createFixture({
      open: async (connection) => {
        connection.handle('ack', ({ seq }) => {
          acked.push(seq);
          connection.close(1000);
        });
        establish(connection);
      },
    });
    const acked: number[] = [];
    const peer = fixture.server.accept({ headers: { authorization: `Bearer ${fixture.token()}` } });
    for (const seq of [1, 2, 3]) peer.send({ type: 'ack', seq });
    await fixture.clock.settle();
    expect(acked).toEqual([1]);
  });
});

describe("the peer's end", () => {
  for (const [leave, close] of [
    ['end', { code: 1000, reason: '', initiator: 'peer' }],
    ['vanish', { code: 1006, reason: '', initiator: 'peer' }],
  ] as const) {
    it(`[WS-5] by ${leave} leaves nothing and tells how`, async () => {
      const fixture = createFixture();
      const { connection, peer } = await fixture.ready();
      connection.handle('ack', () => {});
      const closes: CloseInfo[] = [];
      connection.onClose((info) => void closes.push(info));
      peer[leave]();
      expect(connection.isOpen).toBe(false);
      await fixture.clock.settle();
      expect(closes).toEqual([close]);
      expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
    });
  }
});

describe('sending', () => {
  it('calls onDrain once each time the low mark is passed on the way down', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    const drained: number[] = [];
    connection.onDrain(() => void drained.push(connection.bufferedBytes));
    const undo = connection.onDrain(() => void drained.push(-1));
    undo();
    for (const bytes of [65_535, 65_536, 1]) {
      peer.pauseReading();
      connection.sendFrames([Buffer.alloc(bytes, 32)]);
      expect(connection.bufferedBytes).toBe(bytes);
      peer.resumeReading();
    }
    expect(drained).toEqual([0]);
  });

  it('[WS-6] closes 4508 a peer that asks and never reads, at a megabyte', async () => {
    const { connection, peer } = await createFixture().ready();
    peer.pauseReading();
    connection.sendFrames([Buffer.alloc(1_048_576)]);
    peer.send({ type: 'ping' });
    expect(connection.isOpen).toBe(true);
    peer.send({ type: 'ping' });
    expect(connection.isOpen).toBe(false);
    expect(peer.closedWith?.code).toBe(4508);
  });

  it('refuses more than 16 messages before connection_established', async () => {
    const thrown: unknown[] = [];
    const fixture = createFixture({
      open: async (connection) => {
        try {
          for (let n = 0; n < 17; n += 1) connection.send({ type: 'pong', n });
        } catch (error) {
          thrown.push(error);
        }
        establish(connection);
      },
    });
    const peer = fixture.server.accept({ headers: { authorization: `Bearer ${fixture.token()}` } });
    await fixture.clock.settle();
    expect(thrown).toEqual([expect.objectContaining({ code: 'SOCKET_NOT_ESTABLISHED' })]);
    expect(peer.frames).toHaveLength(17);
  });
});

describe('the server', () => {
  it('closes every connection 1001, takes none any more, and is closed when all sockets are gone', async () => {
    const fixture = createFixture();
    const { peer } = await fixture.ready();
    peer.answersClose = false;
    let closed = false;
    void fixture.server.closed.then(() => {
      closed = true;
    });
    const closing = fixture.server.close();
    expect(peer.closedWith?.code).toBe(1001);
    expect(fixture.server.connect()).toMatchObject({ kind: 'refused', answer: { status: 503 } });
    await fixture.clock.settle();
    expect(closed).toBe(false);
    await fixture.clock.advance(1_000);
    await closing;
    expect(closed).toBe(true);
    await fixture.server.close();
  });

  it('drains: refuses new, waits for those there are, then closes the rest 1012', async () => {
    const fixture = createFixture();
    const [stays, leaves] = [await fixture.ready(), await fixture.ready()];
    const drained = fixture.server.drain({ timeoutMs: 5_000 });
    expect(fixture.server.probe().status).toBe(503);
    leaves.peer.end();
    await fixture.clock.advance(4_999);
    expect(stays.connection.isOpen).toBe(true);
    await fixture.clock.advance(1);
    expect(stays.peer.closedWith?.code).toBe(1012);
    await drained;
    expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
  });

  it('drains at once when the last connection leaves', async () => {
    const fixture = createFixture();
    const { peer } = await fixture.ready();
    const drained = fixture.server.drain({ timeoutMs: 5_000 });
    peer.end();
    await fixture.clock.settle();
    await drained;
    expect(fixture.clock.pendingTimers).toBe(0);
  });

  it('[WS-5] survives connections that come and go in every state', async () => {
    const fixture = createFixture({ open: () => new Promise(() => {}) });
    for (let n = 0; n < 1_000; n += 1) {
      const token = n % 2 === 0 ? { headers: { authorization: `Bearer ${fixture.token()}` } } : {};
      const peer = fixture.server.accept(token);
      if (n % 3 === 0) peer.send({ type: 'authenticate', token: fixture.token() });
      if (n % 5 < 2) await fixture.clock.settle();
      if (n % 7 < 3) peer.end();
      else peer.vanish();
    }
    await fixture.clock.settle();
    expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
    expect(fixture.logger.lines.filter((line) => line.level === 'error')).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '@runwire/kernel/testing';
import { extraSilenceMs } from '../src/liveness.js';
import { createFixture, establish, liveCounts, ofType } from './support/fixture.js';

const FLOW = { unackedBytes: 100, largestFrameBytes: 100, sentSeq: 20, headSeq: 30 };

describe('heartbeat', () => {
  it('[WS-8] goes out every 20 s with a ping, telling sent and head', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    await fixture.clock.advance(19_999);
    expect(peer.pings).toBe(0);
    await fixture.clock.advance(1);
    peer.sendControl();
    connection.reportInFlight(FLOW);
    await fixture.clock.advance(20_000);
    expect(peer.pings).toBe(2);
    expect(ofType(peer.messages, 'heartbeat').map(({ head, sent }) => ({ head, sent }))).toEqual([
      { sent: 7, head: 7 },
      { sent: 20, head: 30 },
    ]);
  });

  it('[WS-8] varies by 10 % both ways', async () => {
    for (const [random, atMs] of [
      [0, 18_000],
      [0.75, 21_000],
    ] as const) {
      const fixture = createFixture({}, { random: () => random });
      const { peer } = await fixture.ready();
      await fixture.clock.advance(atMs - 1);
      expect(peer.pings).toBe(0);
      await fixture.clock.advance(1);
      expect(peer.pings).toBe(1);
    }
  });

  it('waits for connection_established; the ping does not', async () => {
    const fixture = createFixture({ open: () => new Promise(() => {}) });
    const peer = fixture.server.accept({ headers: { authorization: `Bearer ${fixture.token()}` } });
    await fixture.clock.advance(20_000);
    expect([peer.pings, peer.frames.length]).toEqual([1, 0]);
  });
});

describe('silence', () => {
  it('[WS-8] of a black-holed peer is found after exactly 30 s and terminates it when no ack is outstanding', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    const closes: unknown[] = [];
    connection.onClose((close) => closes.push(close));
    await fixture.clock.advance(10_000);
    peer.sendControl();
    peer.blackHole();
    await fixture.clock.advance(29_999);
    expect(connection.isOpen).toBe(true);
    await fixture.clock.advance(1);
    expect(closes).toEqual([{ code: 1006, reason: '', initiator: 'server' }]);
    await fixture.clock.settle();
    expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
  });

  it('[WS-8] with acks outstanding closes 4508', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    connection.reportInFlight(FLOW);
    await fixture.clock.advance(30_000);
    expect(peer.closedWith?.code).toBe(4508);
  });

  it('[WS-8] may last a second longer for each KiB of the largest unacked frame above 16 KiB', async () => {
    expect([0, 16_384, 17_408, 262_144].map(extraSilenceMs)).toEqual([0, 0, 1_000, 240_000]);
    const fixture = createFixture();
    const { connection } = await fixture.ready();
    connection.reportInFlight({ ...FLOW, largestFrameBytes: 16_384 + 5 * 1_024 });
    await fixture.clock.advance(34_999);
    expect(connection.isOpen).toBe(true);
    await fixture.clock.advance(1);
    expect(connection.isOpen).toBe(false);
  });

  it('[WS-8] is judged by the frame that is unacked now, not by an earlier one', async () => {
    const fixture = createFixture();
    const { connection } = await fixture.ready();
    connection.reportInFlight({ ...FLOW, largestFrameBytes: 262_144 });
    await fixture.clock.advance(20_000);
    connection.reportInFlight(FLOW);
    await fixture.clock.advance(9_999);
    expect(connection.isOpen).toBe(true);
    await fixture.clock.advance(1);
    expect(connection.isOpen).toBe(false);
  });

  it('[WS-8] that was long for a large frame ends at once when that frame is acked and nothing else was heard', async () => {
    const fixture = createFixture();
    const { connection } = await fixture.ready();
    connection.reportInFlight({ ...FLOW, largestFrameBytes: 262_144 });
    await fixture.clock.advance(31_000);
    expect(connection.isOpen).toBe(true);
    connection.reportInFlight(FLOW);
    await fixture.clock.advance(0);
    expect(connection.isOpen).toBe(false);
  });

  it('[WS-8] of a slow reader that answers pings or acks is none, though its buffer never drains', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    connection.handle('ack', () => {});
    peer.pauseReading();
    connection.sendFrames([Buffer.alloc(300_000)]);
    for (let n = 0; n < 20; n += 1) {
      await fixture.clock.advance(29_000);
      if (n % 2 === 0) peer.sendControl();
      else peer.send({ type: 'ack', seq: 0 });
    }
    expect(connection.isOpen).toBe(true);
  });

  it('[WS-8] does not delay what is sent while a ping is unanswered', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    await fixture.clock.advance(20_000);
    connection.sendFrames([Buffer.from('now')]);
    expect(peer.frames.at(-1)).toBe('now');
  });

  it('[WS-8] is judged only after what waits to be read is read, as behind a blocked loop', async () => {
    const manual = createManualClock();
    let read = (): void => {};
    const nextTurn = (run: () => void): void =>
      manual.nextTurn(() => {
        read();
        run();
      });
    const fixture = createFixture({ clock: { ...manual, nextTurn } });
    const peer = fixture.server.accept({ headers: { authorization: `Bearer ${fixture.token()}` } });
    await manual.settle();
    read = () => peer.sendControl();
    await manual.advance(59_999);
    expect(peer.closedWith).toBeUndefined();
    read = () => {};
    await manual.advance(1);
    expect(peer.closedWith?.code).toBe(1006);
  });

  it('[WS-8] runs while opening as well', async () => {
    const fixture = createFixture({ open: () => new Promise(() => {}) });
    const peer = fixture.server.accept({ headers: { authorization: `Bearer ${fixture.token()}` } });
    await fixture.clock.settle();
    peer.blackHole();
    await fixture.clock.advance(30_000);
    expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
  });
});

describe('info', () => {
  it('tells when the peer was last heard from, in wall time', async () => {
    const fixture = createFixture({
      open: async (connection) => {
        fixture.opened.push(connection);
        establish(connection);
      },
    });
    const { connection, peer } = await fixture.ready();
    const startAtMs = fixture.clock.nowMs();
    await fixture.clock.advance(500);
    peer.sendControl();
    await fixture.clock.advance(700);
    connection.reportInFlight(FLOW);
    expect(connection.info()).toEqual({
      id: connection.id,
      userId: connection.userId,
      sessionId: connection.sessionId,
      remoteAddress: '127.0.0.1',
      openedAtMs: startAtMs,
      state: 'ready',
      bufferedBytes: 0,
      unackedBytes: 100,
      lastInboundAtMs: startAtMs + 500,
    });
  });
});

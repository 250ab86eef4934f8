import { describe, expect, it } from '@jest/globals';
import type { ReadRequest } from '@runwire/event-log';
import type { DeliveryAck } from '../src/index.js';
import type { FakeConnection } from './support/fake-connection.js';
import { createHarness, range } from './support/harness.js';
import { through } from './support/through.js';

const KIB = 1_024;

/** Bytes handed to the connection since `from` writes. */
function written(connection: FakeConnection, from = 0): number {
  return connection.writes
    .slice(from)
    .flat()
    .reduce((sum, frame) => sum + frame.byteLength, 0);
}

describe('a client that acks', () => {
  it('[BR-5] has at most 256 KiB in flight, and gets everything as it acks', async () => {
    const { attach, append, bridge } = createHarness();
    const { connection, cursor } = await attach();
    connection.ack(0);
    await append(400, undefined, 'x'.repeat(2_000));
    expect(cursor.state).toBe('behind');
    expect(bridge.stats()).toMatchObject({ cursorsBehind: 1 });
    let largest = 0;
    for (let guard = 0; cursor.ackedSeq < 400 && guard < 1_000; guard += 1) {
      const unacked = connection.flow?.unackedBytes ?? 0;
      largest = Math.max(largest, unacked);
      expect(unacked).toBeLessThanOrEqual(256 * KIB);
      connection.ack(Math.min(cursor.sentSeq, cursor.ackedSeq + 7));
      await append(0);
    }
    expect(largest).toBeGreaterThan(200 * KIB);
    expect(connection.seqs).toEqual(range(1, 400));
    expect(cursor.state).toBe('live');
    expect(connection.flow).toEqual({ unackedBytes: 0, largestFrameBytes: 0, sentSeq: 400, headSeq: 400 });
    expect(bridge.stats()).toMatchObject({ eventsSent: 400, eventsAcked: 400, cursorsBehind: 0 });
  });

  it('is not sent what does not fit beside what is in flight, and never waits for ever', async () => {
    const { attach, append } = createHarness();
    const { connection } = await attach();
    connection.ack(0);
    await append(1, undefined, 'a'.repeat(100 * KIB));
    await append(1, undefined, 'b'.repeat(200 * KIB));
    expect(connection.seqs).toEqual([1]);
    connection.ack(1);
    await append(0);
    expect(connection.seqs).toEqual([1, 2]);
  });

  it('reports lag: the largest frame in flight, what was sent, and the head', async () => {
    const { attach, append } = createHarness();
    const { connection } = await attach();
    connection.ack(0);
    await append(1, undefined, 'a'.repeat(20 * KIB));
    await append(1);
    connection.bufferedBytes = 64 * KIB;
    await append(1);
    expect(connection.flow).toMatchObject({ sentSeq: 2, headSeq: 3 });
    expect(connection.flow?.largestFrameBytes).toBeGreaterThan(20 * KIB);
    connection.ack(1);
    expect(connection.flow?.largestFrameBytes).toBeLessThan(KIB);
  });

  it('acks cumulatively: lower is ignored, higher than sent is an error and counted', async () => {
    const acks: DeliveryAck[] = [];
    const observer = { acked: (ack: DeliveryAck) => void acks.push(ack) };
    const { attach, append, bridge, clock, userId } = createHarness({ deps: { observer } });
    const { connection, cursor } = await attach();
    await append(5);
    await clock.advance(30);
    connection.ack(3);
    connection.ack(2);
    connection.ack(3);
    expect(cursor.ackedSeq).toBe(3);
    connection.ack(6);
    expect(cursor.ackedSeq).toBe(3);
    expect(connection.sentOf('error')).toMatchObject([{ code: 'INVALID_MESSAGE', retryable: false }]);
    expect(bridge.stats()).toMatchObject({ eventsSent: 5, eventsAcked: 3, acksRejected: 1 });
    expect(acks).toEqual([{ userId, connectionId: connection.id, seq: 3, events: 3, waitedMs: 30 }]);
  });
});

describe('a client that never acks', () => {
  it('is limited by its socket buffer only', async () => {
    const { attach, append } = createHarness();
    const { connection, cursor } = await attach();
    await append(400, undefined, 'x'.repeat(2_000));
    expect(connection.seqs).toEqual(range(1, 400));
    expect(cursor.state).toBe('live');
    expect(connection.flow).toMatchObject({ unackedBytes: 0, largestFrameBytes: 0 });
  });
});

describe('a reader that stops', () => {
  it('[BR-5] is handed no more than its buffer takes, and everything when it goes on', async () => {
    const reads: ReadRequest[] = [];
    const { attach, append } = createHarness({
      log: (log) => ({
        ...through(log),
        read(userId, request) {
          reads.push(request);
          return log.read(userId, request);
        },
      }),
    });
    const { connection, cursor } = await attach();
    connection.isStalled = true;
    await append(2_000, undefined, 'x'.repeat(1_000));
    expect(cursor.state).toBe('behind');
    expect(written(connection)).toBeLessThanOrEqual(256 * KIB + 256 * KIB);
    expect(reads).toEqual([]);
    while (cursor.state !== 'live') {
      const before = connection.writes.length;
      connection.drain();
      await append(0);
      expect(written(connection, before)).toBeLessThanOrEqual(257 * KIB);
    }
    expect(connection.seqs).toEqual(range(1, 2_000));
  });

  it('turns to pull mode at the low mark of the buffer, and to push below it', async () => {
    const { attach, append } = createHarness();
    const { connection, cursor } = await attach();
    connection.bufferedBytes = 64 * KIB - 1;
    await append(1);
    expect(cursor.state).toBe('live');
    connection.bufferedBytes = 64 * KIB;
    await append(1);
    expect(cursor.state).toBe('behind');
    expect(connection.seqs).toEqual([1]);
    connection.drain();
    await append(0);
    expect(connection.seqs).toEqual([1, 2]);
    expect(cursor.state).toBe('live');
  });

  it('never pushes the buffer above its high mark: a large append is read in pages', async () => {
    const { attach, log, userId, ids, clock } = createHarness();
    const { connection } = await attach();
    const threadId = ids.threadId();
    const drafts = range(1, 300).map(() => {
      const parts = [{ type: 'text', text: 'x'.repeat(1_000) }] as const;
      return {
        type: 'message_added',
        threadId,
        data: { messageId: ids.messageId(), role: 'user', parts },
      } as const;
    });
    connection.isStalled = true;
    await log.append(userId, drafts);
    await clock.settle();
    expect(connection.bufferedBytes).toBeLessThanOrEqual(257 * KIB);
    expect(connection.bufferedBytes).toBeGreaterThan(200 * KIB);
    connection.drain();
    await clock.settle();
    expect(connection.seqs).toEqual(range(1, 300));
  });

  it('gets neighbouring deltas merged, and the same text', async () => {
    const { attach, emitter, clock, ids, append } = createHarness();
    const { connection } = await attach();
    const run = emitter();
    const messageId = ids.messageId();
    connection.bufferedBytes = 64 * KIB;
    await run.agentStarted({ agent: 'a', messageId, attempt: 1 });
    for (const word of range(1, 50)) {
      await run.agentDelta({ messageId, part: 0, kind: 'text', text: `${word} ` });
      await clock.advance(50);
    }
    expect(connection.events).toEqual([]);
    connection.drain();
    await append(0);
    expect(connection.events).toMatchObject([
      { type: 'agent_started', seq: 1 },
      {
        type: 'agent_delta',
        from: 2,
        seq: 51,
        data: { offset: 0, text: range(1, 50).join(' ').concat(' ') },
      },
    ]);
    run.close();
  });

  it('has one read in flight, and a wake during it is not lost', async () => {
    let reading = 0;
    let most = 0;
    const { attach, append, clock } = createHarness({
      log: (log) => ({
        ...through(log),
        async read(userId, request) {
          reading += 1;
          most = Math.max(most, reading);
          const page = await log.read(userId, request);
          await new Promise<void>((resolve) => clock.setTimer(10, resolve));
          reading -= 1;
          return page;
        },
      }),
    });
    const { connection, cursor } = await attach();
    connection.bufferedBytes = 64 * KIB;
    await append(3);
    connection.drain();
    connection.drain();
    await append(2);
    expect(connection.seqs).toEqual([]);
    await clock.advance(10);
    expect(connection.seqs).toEqual([1, 2, 3]);
    await append(1);
    await clock.advance(30);
    expect(connection.seqs).toEqual([1, 2, 3, 4, 5, 6]);
    expect(cursor.state).toBe('live');
    expect(most).toBe(1);
  });

  it('[BR-8] is told `trimmed` and goes on live when retention overtakes it while it reads', async () => {
    const { attach, append, log, userId, bridge } = createHarness();
    const { connection, cursor } = await attach();
    connection.isStalled = true;
    await append(600, undefined, 'x'.repeat(1_000));
    const sent = cursor.sentSeq;
    await log.trim(userId, { before: 500 });
    connection.isStalled = false;
    connection.drain();
    await append(0);
    const stream = await log.stream(userId);
    expect(connection.sentOf('reset')).toEqual([{ type: 'reset', reason: 'trimmed', stream }]);
    expect(cursor.state).toBe('live');
    await append(1);
    expect(connection.seqs).toEqual([...range(1, sent), 601]);
    expect(connection.sentOf('caught_up')).toHaveLength(1);
    expect(bridge.stats().cursors).toBe(1);
  });

  it('[BR-8] has its first caught_up after a reset in the middle of its replay', async () => {
    const { bridge, connect, append, log, userId, clock } = createHarness();
    await append(600, undefined, 'x'.repeat(1_000));
    const connection = connect();
    connection.isStalled = true;
    const cursor = await bridge.attach(connection, { seq: 0 });
    await clock.settle();
    expect(connection.sentOf('caught_up')).toEqual([]);
    await log.trim(userId, { before: 500 });
    connection.drain();
    await clock.settle();
    expect(connection.types.slice(-2)).toEqual(['reset', 'caught_up']);
    expect(connection.sent.at(-1)).toEqual({ type: 'caught_up', seq: 600 });
    await cursor.caughtUp;
  });
});

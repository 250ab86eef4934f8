import { describe, expect, it } from '@jest/globals';
import type { EncodedBatch, EventLog } from '@runwire/event-log';
import { createDeferred } from '@runwire/kernel';
import { createHarness, range } from './support/harness.js';
import { through } from './support/through.js';

const KIB = 1_024;

/** A log whose wakes a test delays, drops and bends, whose reads it counts and holds, and that can change. */
function bentLog() {
  const bent = {
    wakes: [] as (EncodedBatch | undefined)[],
    wake: (_batch?: EncodedBatch): void => undefined,
    subscriptions: 0,
    reads: 0,
    holdsWakes: true,
    gate: undefined as Promise<void> | undefined,
    epoch: undefined as string | undefined,
  };
  const wrap = (log: EventLog): EventLog => ({
    ...through(log),
    subscribe(userId, onWake) {
      bent.subscriptions += 1;
      bent.wake = onWake;
      const undo = log.subscribe(userId, (batch) => {
        if (bent.holdsWakes) bent.wakes.push(batch);
        else onWake(batch);
      });
      return () => {
        bent.subscriptions -= 1;
        undo();
      };
    },
    async read(userId, request) {
      bent.reads += 1;
      const result = await log.read(userId, request);
      if (bent.gate !== undefined) await bent.gate;
      if (bent.epoch === undefined || result.kind === 'reset') return result;
      const stream = { epoch: bent.epoch, first: 1, head: 1, headId: 'evt_new' };
      return { kind: 'reset', reason: 'epoch', stream };
    },
    async stream(userId) {
      const stream = await log.stream(userId);
      return bent.epoch === undefined ? stream : { epoch: bent.epoch, first: 1, head: 1, headId: 'evt_new' };
    },
  });
  return { bent, harness: createHarness({ log: wrap }) };
}

describe('a wake', () => {
  it('that directly follows is pushed without a read', async () => {
    const { bent, harness } = bentLog();
    const { connection } = await harness.attach();
    await harness.append(2);
    for (const batch of bent.wakes) bent.wake(batch);
    expect(connection.seqs).toEqual([1, 2]);
    expect(bent.reads).toBe(0);
  });

  it('that skips events leads to a read, never to a gap', async () => {
    const { bent, harness } = bentLog();
    const { connection } = await harness.attach();
    for (const _ of range(1, 3)) await harness.append(1);
    expect(bent.wakes[2]?.events[0]?.seq).toBe(3);
    bent.wake(bent.wakes[2]);
    await harness.clock.settle();
    expect(connection.seqs).toEqual([1, 2, 3]);
  });

  it('for what was read already does nothing', async () => {
    const { bent, harness } = bentLog();
    const { connection, cursor } = await harness.attach();
    for (const _ of range(1, 3)) await harness.append(1);
    expect(bent.wakes[2]?.events[0]?.seq).toBe(3);
    bent.wake(bent.wakes[2]);
    await harness.clock.settle();
    const { reads } = bent;
    for (const batch of bent.wakes) bent.wake(batch);
    expect(cursor.state).toBe('live');
    await harness.clock.settle();
    expect(connection.seqs).toEqual([1, 2, 3]);
    expect(bent.reads).toBe(reads);
  });

  it('without a batch leads to a read', async () => {
    const { bent, harness } = bentLog();
    const { connection, cursor } = await harness.attach();
    await harness.append(2);
    bent.wake();
    await harness.clock.settle();
    expect(connection.seqs).toEqual([1, 2]);
    expect(cursor.state).toBe('live');
  });

  it('[BR-8] of another epoch leads to a reset, and to no event of it before', async () => {
    const { bent, harness } = bentLog();
    const { connection, cursor } = await harness.attach();
    await harness.append(2);
    const [batch] = bent.wakes;
    if (batch === undefined) throw new Error('no batch');
    const { firstSeq, lastSeq, lastId, events } = batch;
    bent.epoch = 'another';
    bent.wake({ epoch: 'another', firstSeq, lastSeq, lastId, events });
    await harness.clock.settle();
    expect(connection.events).toEqual([]);
    expect(connection.sentOf('reset')).toMatchObject([{ reason: 'epoch', stream: { epoch: 'another' } }]);
    expect(cursor.sentSeq).toBe(1);
  });

  it('comes over one subscription per connected user, which ends with the last connection', async () => {
    const { bent, harness } = bentLog();
    const first = await harness.attach();
    const second = await harness.attach();
    expect(bent.subscriptions).toBe(1);
    first.connection.close();
    expect(bent.subscriptions).toBe(1);
    second.connection.close();
    expect(bent.subscriptions).toBe(0);
  });
});

describe('what changes during a read', () => {
  it('is a resync: the page that comes late is void', async () => {
    const { bent, harness } = bentLog();
    const { connection } = await harness.attach();
    bent.holdsWakes = false;
    await harness.append(4);
    const gate = createDeferred();
    bent.gate = gate.promise;
    connection.bufferedBytes = 64 * KIB;
    await harness.append(2);
    connection.drain();
    await harness.clock.settle();
    // A read of 5 and 6 is under way; the client wants 3 and on.
    connection.resync({ id: 'r1', epoch: await harness.epoch(), seq: 2 });
    await harness.clock.settle();
    bent.gate = undefined;
    gate.resolve();
    await harness.clock.settle();
    expect(connection.seqs).toEqual([1, 2, 3, 4, 3, 4, 5, 6]);
    expect(connection.sent.at(-1)).toEqual({ type: 'caught_up', seq: 6, ref: 'r1' });
  });

  it('[BR-8] is the epoch, between the read and the question where the stream stands', async () => {
    const { bent, harness } = bentLog();
    await harness.append(3);
    const gate = createDeferred();
    bent.gate = gate.promise;
    const connection = harness.connect();
    const attached = harness.bridge.attach(connection, { epoch: await harness.epoch(), seq: 1 });
    await harness.clock.settle();
    const renewed = { epoch: 'another', first: 1, head: 9, headId: 'evt_9' };
    harness.log.stream = async () => renewed;
    gate.resolve();
    await attached;
    expect(connection.sent).toEqual([
      { type: 'established', stream: renewed, resume: { mode: 'reset', from: 10, reason: 'epoch' } },
      { type: 'caught_up', seq: 9 },
    ]);
  });

  it('[BR-8] is the log: what was owed in the former one is settled by the reset', async () => {
    const { bent, harness } = bentLog();
    await harness.append(600, undefined, 'x'.repeat(1_000));
    const connection = harness.connect();
    connection.isStalled = true;
    const cursor = await harness.bridge.attach(connection, { seq: 0 });
    await harness.clock.settle();
    bent.epoch = 'another';
    connection.drain();
    await harness.clock.settle();
    expect(connection.sent.slice(-2)).toMatchObject([
      { type: 'reset', reason: 'epoch' },
      { type: 'caught_up', seq: 1 },
    ]);
    await cursor.caughtUp;
    // An ack that was under way names what the former log had: no error, no effect.
    connection.ack(100);
    expect(cursor.ackedSeq).toBe(1);
    expect(connection.sentOf('error')).toEqual([]);
  });

  it('is that a close has begun: the cursor is released without waiting for its end', async () => {
    const { bent, harness } = bentLog();
    await harness.append(3);
    const gate = createDeferred();
    bent.gate = gate.promise;
    const connection = harness.connect();
    const attached = harness.bridge.attach(connection, { seq: 0 });
    await harness.clock.settle();
    connection.isOpen = false;
    gate.resolve();
    expect((await attached).state).toBe('closed');
    expect(connection.listeners).toBe(0);
    expect(harness.bridge.stats()).toMatchObject({ cursors: 0, eventsSent: 0 });
  });

  it('is that a close has begun: so does the next wake', async () => {
    const { bent, harness } = bentLog();
    const { connection, cursor } = await harness.attach();
    await harness.attach();
    bent.holdsWakes = false;
    // Still listed by `connections`, no longer open.
    Object.defineProperty(connection, 'isOpen', { get: () => opened.next().value });
    const opened = (function* () {
      yield true;
      for (;;) yield false;
    })();
    await harness.append(1);
    expect(cursor.state).toBe('closed');
    expect(connection.writes).toEqual([]);
  });
});

describe('a resync', () => {
  it('takes what was in flight out of the account', async () => {
    const { harness } = bentLog();
    const connection = (await harness.attach()).connection;
    connection.ack(0);
    await harness.append(3, undefined, 'x'.repeat(50 * KIB));
    expect(connection.seqs).toEqual([]);
    connection.resync({ epoch: await harness.epoch(), seq: 0 });
    await harness.clock.settle();
    expect(connection.seqs).toEqual([1, 2, 3]);
    connection.resync({ epoch: await harness.epoch(), seq: 2 });
    await harness.clock.settle();
    expect(connection.seqs).toEqual([...range(1, 3), 3]);
    expect(connection.flow?.unackedBytes).toBeLessThan(60 * KIB);
    expect(harness.bridge.stats().eventsAcked).toBe(2);
  });
});

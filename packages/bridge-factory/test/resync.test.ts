import { describe, expect, it } from '@jest/globals';
import { createHarness, range } from './support/harness.js';

describe('resync', () => {
  it('sends the events from there again, then caught_up with its ref', async () => {
    const { attach, append, epoch } = createHarness();
    const { connection, cursor } = await attach();
    await append(5);
    connection.ack(1);
    connection.resync({ id: 'r1', epoch: await epoch(), seq: 2 });
    await append(1);
    expect(connection.seqs).toEqual([1, 2, 3, 4, 5, 3, 4, 5, 6]);
    const answer = connection.sentOf('caught_up').at(-1);
    expect(answer).toMatchObject({ ref: 'r1' });
    expect(connection.sentOf('caught_up')).toHaveLength(2);
    expect(cursor.state).toBe('live');
    expect(cursor.ackedSeq).toBe(2);
    connection.ack(6);
    expect(connection.sentOf('error')).toEqual([]);
    await append(1);
    expect(connection.seqs.at(-1)).toBe(7);
  });

  it('answers without ref when it has no id', async () => {
    const { attach, append, epoch, clock } = createHarness();
    const { connection } = await attach();
    await append(2);
    const last = connection.events[0];
    connection.resync({ epoch: await epoch(), seq: 1, ...(last === undefined ? {} : { eventId: last.id }) });
    await clock.settle();
    expect(connection.sent.at(-1)).toEqual({ type: 'caught_up', seq: 2 });
  });

  it.each([
    ['epoch', { epoch: 'another', seq: 1 }],
    ['ahead', { seq: 9 }],
    ['fork', { seq: 1, eventId: 'evt_other' }],
  ])('[BR-8] answers reset %s with its ref, then caught_up, and goes on live', async (reason, position) => {
    const { attach, append, epoch, log, userId, clock } = createHarness();
    const { connection } = await attach();
    await append(3);
    connection.resync({ id: 'r1', epoch: await epoch(), ...position });
    await clock.settle();
    const stream = await log.stream(userId);
    expect(connection.sent.slice(-2)).toEqual([
      { type: 'reset', reason, stream, ref: 'r1' },
      { type: 'caught_up', seq: 3, ref: 'r1' },
    ]);
    await append(1);
    expect(connection.seqs).toEqual([1, 2, 3, 4]);
  });

  it('refuses a second one before the first is answered', async () => {
    const { attach, append, epoch, bridge, clock } = createHarness();
    const { connection } = await attach();
    await append(3);
    const from = { epoch: await epoch(), seq: 1 };
    connection.resync({ id: 'r1', ...from });
    connection.resync({ id: 'r2', ...from });
    await clock.settle();
    expect(connection.sentOf('command_rejected')).toMatchObject([
      { ref: 'r2', error: { code: 'RATE_LIMITED', retryable: true, retryAfterMs: 1_000 } },
    ]);
    expect(connection.sentOf('caught_up').map(({ ref }) => ref)).toEqual([undefined, 'r1']);
    expect(bridge.stats().resyncsRejected).toBe(1);
  });

  it('allows 6 a minute and refuses the seventh, as a rejection or as an error', async () => {
    const { attach, append, epoch, clock } = createHarness();
    const { connection } = await attach();
    await append(1);
    const from = { epoch: await epoch(), seq: 1 };
    for (const n of range(1, 6)) {
      connection.resync({ id: `r${n}`, ...from });
      await clock.advance(1_000);
    }
    expect(connection.sentOf('caught_up')).toHaveLength(7);
    connection.resync({ id: 'r7', ...from });
    connection.resync(from);
    expect(connection.sentOf('command_rejected')).toMatchObject([
      { ref: 'r7', error: { code: 'RATE_LIMITED', retryAfterMs: 54_000 } },
    ]);
    expect(connection.sentOf('error')).toMatchObject([{ code: 'RATE_LIMITED', retryAfterMs: 54_000 }]);
    await clock.advance(54_000);
    connection.resync({ id: 'r8', ...from });
    await clock.settle();
    expect(connection.sent.at(-1)).toEqual({ type: 'caught_up', seq: 1, ref: 'r8' });
  });

  it('in the middle of a replay voids the read under way, and both answers are given once', async () => {
    const { bridge, connect, append, clock, epoch } = createHarness();
    await append(900, undefined, 'x'.repeat(1_000));
    const connection = connect();
    connection.isStalled = true;
    await bridge.attach(connection, { seq: 0 });
    await clock.settle();
    connection.resync({ id: 'r1', epoch: await epoch(), seq: 10 });
    for (let turn = 0; turn < 20; turn += 1) {
      connection.drain();
      await clock.settle();
    }
    const sent = connection.seqs;
    const again = sent.indexOf(11, 11);
    expect(sent.slice(again)).toEqual(range(11, 900));
    expect(connection.sentOf('caught_up')).toEqual([
      { type: 'caught_up', seq: 900 },
      { type: 'caught_up', seq: 900, ref: 'r1' },
    ]);
  });

  it('sends nothing when the connection closes meanwhile', async () => {
    const { attach, append, epoch, clock, bridge } = createHarness();
    const { connection } = await attach();
    await append(2);
    const before = connection.sent.length;
    connection.resync({ id: 'r1', epoch: await epoch(), seq: 1 });
    connection.close();
    await clock.settle();
    expect(connection.sent).toHaveLength(before);
    expect(bridge.stats()).toMatchObject({ cursors: 0, subscriptions: 0 });
  });

  it('tells the observer how each start was decided', async () => {
    const starts: unknown[] = [];
    const observer = { resumed: (start: unknown) => void starts.push(start) };
    const { attach, append, epoch, clock } = createHarness({ deps: { observer } });
    await append(2);
    const { connection } = await attach({ seq: 0 });
    connection.resync({ epoch: 'another', seq: 1 });
    await clock.settle();
    connection.resync({ epoch: await epoch(), seq: 2 });
    await clock.settle();
    const connectionId = connection.id;
    expect(starts).toEqual([
      { connectionId, mode: 'replay' },
      { connectionId, mode: 'reset', reason: 'epoch' },
      { connectionId, mode: 'live' },
    ]);
  });
});

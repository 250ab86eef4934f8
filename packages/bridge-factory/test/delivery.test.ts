import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import type { RunwireEventOf } from '@runwire/protocol';
import { createHarness, range } from './support/harness.js';
import { through } from './support/through.js';

const KIB = 1_024;

describe('starting', () => {
  it('goes live from the head without a resume, and says so once', async () => {
    const { attach, append, log, userId } = createHarness();
    await append(3);
    const { connection, cursor } = await attach();
    const stream = await log.stream(userId);
    expect(connection.sent).toEqual([
      { type: 'established', stream, resume: { mode: 'live', from: 4 } },
      { type: 'caught_up', seq: 3 },
    ]);
    expect(cursor.state).toBe('live');
    await cursor.caughtUp;
    await append(2);
    expect(connection.seqs).toEqual([4, 5]);
  });

  it('starts a user without events at nothing', async () => {
    const { attach, append } = createHarness();
    const { connection } = await attach();
    expect(connection.sent).toMatchObject([
      { stream: { first: 1, head: 0, headId: null }, resume: { mode: 'live', from: 1 } },
      { type: 'caught_up', seq: 0 },
    ]);
    await append(1);
    expect(connection.seqs).toEqual([1]);
  });

  it('[BR-3] delivers what was emitted while nobody was connected, in order, from the last cursor', async () => {
    const { attach, append, epoch } = createHarness();
    const first = await attach();
    await append(2);
    const last = first.connection.events.at(-1);
    first.connection.close();
    await append(3);
    const { connection } = await attach({ epoch: await epoch(), seq: 2, id: last?.id });
    expect(connection.types[0]).toBe('established');
    expect(connection.sentOf('established')[0]?.resume).toEqual({ mode: 'replay', from: 3 });
    expect(connection.seqs).toEqual([3, 4, 5]);
    expect(connection.sent.at(-1)).toEqual({ type: 'caught_up', seq: 5 });
    expect(connection.sentOf('caught_up')).toHaveLength(1);
  });

  it('[BR-3] delivers everything from seq 0, also after the oldest were trimmed', async () => {
    const { attach, append, log, userId } = createHarness();
    await append(5);
    expect((await attach({ seq: 0 })).connection.seqs).toEqual([1, 2, 3, 4, 5]);
    await log.trim(userId, { before: 3 });
    const { connection } = await attach({ seq: '0' });
    expect(connection.sentOf('established')[0]?.resume).toEqual({ mode: 'replay', from: 3 });
    expect(connection.seqs).toEqual([3, 4, 5]);
  });

  it('is live for a cursor at the head', async () => {
    const { attach, append, epoch } = createHarness();
    await append(2);
    const { connection } = await attach({ epoch: await epoch(), seq: 2 });
    expect(connection.sentOf('established')[0]?.resume).toEqual({ mode: 'live', from: 3 });
    expect(connection.types).toEqual(['established', 'caught_up']);
  });

  it.each([
    ['epoch', { epoch: 'another', seq: 1 }],
    ['epoch', { epoch: 7, seq: 1 }],
    ['epoch', {}],
    ['ahead', { seq: 99 }],
    ['trimmed', { seq: 1 }],
    ['fork', { seq: 5, id: 'evt_of_another_log' }],
  ])('[BR-8] answers a cursor that cannot be honoured with reset %s', async (reason, cursor) => {
    const { attach, append, log, userId, epoch } = createHarness();
    await append(6);
    await log.trim(userId, { before: 4 });
    const resume = 'seq' in cursor && !('epoch' in cursor) ? { epoch: await epoch(), ...cursor } : cursor;
    const { connection } = await attach(resume);
    const stream = await log.stream(userId);
    expect(connection.sent).toEqual([
      { type: 'established', stream, resume: { mode: 'reset', from: 7, reason } },
      { type: 'caught_up', seq: 6 },
    ]);
    await append(1);
    expect(connection.seqs).toEqual([7]);
  });

  it('[BR-4] loses and repeats nothing that is appended between the read at the head and going live', async () => {
    const gate = createDeferred();
    let held = false;
    const { bridge, connect, append, clock, epoch } = createHarness({
      log: (log) => ({
        ...through(log),
        async read(userId, request) {
          const page = await log.read(userId, request);
          if (held) await gate.promise;
          return page;
        },
      }),
    });
    await append(2);
    held = true;
    const connection = connect();
    const attached = bridge.attach(connection, { epoch: await epoch(), seq: 0 });
    await clock.settle();
    await append(3);
    held = false;
    gate.resolve();
    await attached;
    await clock.settle();
    // Before the next append, which would make up for what was forgotten.
    expect(connection.seqs).toEqual([1, 2, 3, 4, 5]);
    await append(1);
    expect(connection.seqs).toEqual([1, 2, 3, 4, 5, 6]);
    expect(connection.sentOf('caught_up')).toHaveLength(1);
  });
});

describe('live', () => {
  it('needs a working `connections`: without one nothing is delivered', async () => {
    const nobody = { connectionsOf: () => [] };
    const { attach, append } = createHarness({ deps: { connections: nobody } });
    const { connection } = await attach();
    await append(3);
    expect(connection.seqs).toEqual([]);
  });

  it('[BR-6] gives every connection of the user each event once, from one encoding, and others nothing', async () => {
    const { attach, append, ids, bridge } = createHarness();
    const tabs = [await attach(), await attach(), await attach({ seq: 0 })];
    const stranger = await attach(undefined, ids.userId());
    expect(bridge.stats()).toMatchObject({ cursors: 4, subscriptions: 2 });
    await append(20);
    for (const { connection } of tabs) expect(connection.seqs).toEqual(range(1, 20));
    expect(stranger.connection.events).toEqual([]);
    const [a, b] = tabs.map(({ connection }) => connection.writes.flat());
    expect(a?.every((frame, index) => frame === b?.[index])).toBe(true);
  });

  it('writes the events of one append together, in frames of 16 KiB', async () => {
    const { attach, log, userId, ids, clock } = createHarness();
    const { connection } = await attach();
    const threadId = ids.threadId();
    const draft = (text: string) => {
      const data = { messageId: ids.messageId(), role: 'user', parts: [{ type: 'text', text }] } as const;
      return { type: 'message_added', threadId, data } as const;
    };
    await log.append(userId, [
      ...range(1, 10).map(() => draft('x'.repeat(4 * KIB))),
      draft('y'.repeat(40 * KIB)),
    ]);
    await clock.settle();
    expect(connection.writes).toHaveLength(1);
    const sizes = connection.writes[0]?.map((frame) => frame.byteLength) ?? [];
    expect(sizes).toHaveLength(5);
    for (const size of sizes.slice(0, -1)) expect(size).toBeLessThanOrEqual(16 * KIB + 8);
    expect(sizes.at(-1)).toBeGreaterThan(40 * KIB);
    expect(connection.seqs).toEqual(range(1, 11));
  });

  it('[BR-6] gives a tab that joins in the middle of a run the run so far', async () => {
    const { attach, emitter, clock, ids } = createHarness();
    const messageId = ids.messageId();
    const run = emitter();
    const early = await attach();
    await run.agentStarted({ agent: 'a', messageId, attempt: 1 });
    await run.agentDelta({ messageId, part: 0, kind: 'text', text: 'so far ' });
    await clock.settle();
    const late = await attach({ seq: 0 });
    await clock.advance(50);
    await run.agentDelta({ messageId, part: 0, kind: 'text', text: 'and on' });
    await run.agentCompleted({ agent: 'a', messageId, status: 'completed', durationMs: 1 });
    await clock.settle();
    expect(late.connection.events).toEqual(early.connection.events);
    expect(late.connection.seqs).toEqual([1, 2, 3, 4]);
  });

  it('goes on for the others when one connection throws, and tells that one to resume', async () => {
    const { attach, append, logger } = createHarness();
    const broken = await attach();
    const healthy = await attach();
    broken.connection.sendFrames = () => {
      throw new Error('no such socket');
    };
    await append(2);
    expect(healthy.connection.seqs).toEqual([1, 2]);
    expect(broken.connection.closes[0]?.code).toBe(4500);
    expect(logger.lines.map(({ message }) => message)).toContain('delivery failed');
  });
});

describe('events of no run', () => {
  it('are appended once per producer key and delivered', async () => {
    const { attach, bridge, userId, ids, clock } = createHarness();
    const { connection } = await attach();
    const draft = { type: 'thread_created', threadId: ids.threadId(), data: { title: 'T' } } as const;
    const producer = { id: 'cmd:1', attempt: 1, n: 1 };
    await bridge.appendForUser(userId, [draft], producer);
    await bridge.appendForUser(userId, [draft], producer);
    await clock.settle();
    const [event] = connection.events as readonly RunwireEventOf<'thread_created'>[];
    expect(connection.events).toHaveLength(1);
    expect(event?.data).toEqual({ title: 'T' });
  });
});

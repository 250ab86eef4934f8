import { describe, expect, it } from '@jest/globals';
import { createOutbox, type OutboxDeps, type OutboxEntry } from '@runwire/agent-handler';
import { EventLogError } from '@runwire/event-log';
import { createIdGenerator } from '@runwire/id-generation';
import { createDeferred } from '@runwire/kernel';
import { createManualClock, createRecordingLogger } from '@runwire/kernel/testing';

/** An outbox over a list; `append` is the log. */
function createBox(append: OutboxDeps['append']) {
  const clock = createManualClock();
  const logger = createRecordingLogger();
  const ids = createIdGenerator({ clock });
  const pending: OutboxEntry[] = [];
  const runs = {
    pendingOutbox: async () => [...pending],
    markAppended: async (_: unknown, { id }: OutboxEntry['producer']) => {
      pending.splice(
        pending.findIndex(({ producer }) => producer.id === id),
        1,
      );
    },
  };
  const add = (id: string, type: 'thread_deleted' | 'agent_completed', userId = ids.userId()) => {
    const data = { agent: 'a', messageId: 'm', status: 'failed', durationMs: 1 } as const;
    const draft = type === 'thread_deleted' ? ({ type, data: {} } as const) : ({ type, data } as const);
    pending.push({ userId, producer: { id, attempt: 1, n: 4 }, drafts: [draft] });
    return userId;
  };
  return { clock, pending, add, outbox: createOutbox({ clock, logger, runs, append }) };
}

describe('the outbox', () => {
  it('keeps the order of a user: behind an entry that fails the later ones wait', async () => {
    const appended: string[] = [];
    let isAway = true;
    const box = createBox(async (_, __, { id }) => {
      if (id === 'one' && isAway) throw new Error('away');
      appended.push(id);
    });
    const userId = box.add('one', 'thread_deleted');
    box.add('two', 'agent_completed', userId);
    box.add('other', 'thread_deleted');
    expect(await box.outbox.repeat()).toEqual({ appended: 1, failed: 2 });
    isAway = false;
    expect(await box.outbox.repeat()).toEqual({ appended: 2, failed: 0 });
    expect(appended).toEqual(['other', 'one', 'two']);
  });

  for (const code of ['PRODUCER_GAP', 'FENCED'] as const) {
    it(`appends a terminal event that is ${code} as the next attempt's first; another event waits`, async () => {
      const keys: unknown[] = [];
      const box = createBox(async (_, __, { id, attempt, n }) => {
        if (attempt === 1) throw new EventLogError(code, 'refused');
        keys.push([id, attempt, n]);
      });
      box.add('run', 'agent_completed');
      box.add('cmd', 'thread_deleted');
      expect(await box.outbox.repeat()).toEqual({ appended: 1, failed: 1 });
      expect(keys).toEqual([['run', 2, 1]]);
    });
  }

  it('is done with a terminal event of a run that has one', async () => {
    for (const first of ['RUN_ENDED', 'FENCED'] as const) {
      const box = createBox(async (_, __, { attempt }) => {
        throw new EventLogError(attempt === 1 ? first : 'RUN_ENDED', 'refused');
      });
      box.add('run', 'agent_completed');
      expect(await box.outbox.repeat()).toEqual({ appended: 1, failed: 0 });
    }
  });

  it('repeats with growing delays until nothing is left, and leaves no timer', async () => {
    const triesAtMs: number[] = [];
    const box = createBox(async () => {
      triesAtMs.push(box.clock.monotonicMs());
      if (triesAtMs.length < 5) throw new Error('away');
    });
    box.add('one', 'thread_deleted');
    box.outbox.repeatSoon();
    await box.clock.advance(60_000);
    expect(triesAtMs).toEqual([0, 250, 750, 1_750, 3_750]);
    expect(box.clock.pendingTimers).toBe(0);
  });

  it('takes what is added while a round is under way', async () => {
    const gate = createDeferred();
    const box = createBox(() => gate.promise);
    box.add('one', 'thread_deleted');
    box.outbox.repeatSoon();
    await box.clock.settle();
    box.add('two', 'thread_deleted');
    box.outbox.repeatSoon();
    gate.resolve();
    await box.clock.settle();
    expect(box.pending).toEqual([]);
    expect(box.clock.pendingTimers).toBe(0);
  });

  it('stops when it is closed', async () => {
    const box = createBox(() => Promise.reject(new Error('away')));
    box.add('one', 'thread_deleted');
    box.outbox.repeatSoon();
    await box.clock.settle();
    box.outbox.close();
    box.outbox.close();
    box.outbox.repeatSoon();
    await box.clock.advance(60_000);
    expect(box.clock.pendingTimers).toBe(0);
  });
});

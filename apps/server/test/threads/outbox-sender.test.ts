import { describe, expect, it } from '@jest/globals';
import type { OutboxEntry } from '@runwire/agent-handler';
import { EventLogError } from '@runwire/event-log';
import { createIdGenerator } from '@runwire/id-generation';
import { createManualClock, createRecordingLogger } from '@runwire/kernel/testing';
import { createOutboxSender } from '../../src/threads/outbox-sender.js';

/** A log and a table that can fail, and remember what happened in order. */
function createFixture() {
  const clock = createManualClock();
  const ids = createIdGenerator({ clock });
  const userId = ids.userId();
  const done: string[] = [];
  const failing = { append: false, disk: false, mark: false };
  let pending: OutboxEntry[] = [];
  const sender = createOutboxSender({
    clock,
    logger: createRecordingLogger(),
    events: {
      async appendForUser(_userId, _drafts, producer) {
        if (failing.append) throw new Error('the log is away');
        if (failing.disk) throw new EventLogError('LOG_WRITE_FAILED', 'the disk is full');
        done.push(`append ${producer.id}`);
      },
    },
    runs: {
      async markAppended(_userId, producer) {
        if (failing.mark) throw new Error('the database is away');
        done.push(`forget ${producer.id}`);
        pending = pending.filter((entry) => entry.producer.id !== producer.id);
      },
      pendingOutbox: async () => [...pending],
    },
  });
  const commit = (name: string): OutboxEntry => {
    const threadId = ids.threadId();
    const entry: OutboxEntry = {
      userId,
      producer: { id: name, attempt: 1, n: 1 },
      drafts: [{ type: 'thread_deleted', threadId, data: {} }],
    };
    pending.push(entry);
    return entry;
  };
  return { clock, sender, done, failing, commit, left: () => pending.map(({ producer }) => producer.id) };
}

describe('the outbox sender', () => {
  it('appends first and forgets after', async () => {
    const { sender, done, commit, clock } = createFixture();
    await sender.send(commit('one'));
    expect(done).toEqual(['append one', 'forget one']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('settles when the log is away, and appends in order once it is back', async () => {
    const { sender, done, failing, commit, clock, left } = createFixture();
    failing.append = true;
    await sender.send(commit('one'));
    await sender.send(commit('two'));
    await clock.advance(60_000);
    expect(done).toEqual([]);
    failing.append = false;
    await clock.advance(10_000);
    expect(done).toEqual(['append one', 'forget one', 'append two', 'forget two']);
    expect(left()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('overtakes nothing that waits for the disk', async () => {
    const { sender, done, failing, commit, clock } = createFixture();
    failing.disk = true;
    await sender.send(commit('one'));
    await clock.settle();
    failing.disk = false;
    await sender.send(commit('two'));
    await clock.settle();
    expect(done).toEqual(['append one', 'forget one', 'append two', 'forget two']);
  });

  it('settles when only the forgetting fails, and repeats the append, which does nothing twice', async () => {
    const { sender, done, failing, commit, clock, left } = createFixture();
    failing.mark = true;
    await sender.send(commit('one'));
    expect(left()).toEqual(['one']);
    failing.mark = false;
    await clock.advance(10_000);
    expect(done.at(-1)).toBe('forget one');
    expect(left()).toEqual([]);
  });

  it('stops trying when it is closed, and leaves the rest to the next start', async () => {
    const { sender, done, failing, commit, clock, left } = createFixture();
    failing.append = true;
    await sender.send(commit('one'));
    await clock.settle();
    expect(clock.pendingTimers).toBe(1);
    sender.close();
    sender.close();
    expect(clock.pendingTimers).toBe(0);
    failing.append = false;
    await clock.advance(60_000);
    expect(done).toEqual([]);
    expect(left()).toEqual(['one']);
  });
});

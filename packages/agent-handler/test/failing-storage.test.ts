import { describe, expect, it } from '@jest/globals';
import { createRecovery } from '@runwire/agent-handler';
import { EventLogError } from '@runwire/event-log';
import { ANNOUNCED, createHarness, forever, type Harness, type HarnessOptions, overlay } from './harness.js';

/** A log whose storage takes nothing while `isFull`. */
function createFixture(setup: HarnessOptions = {}) {
  const disk = { isFull: false };
  const harness = createHarness({
    ...setup,
    append: (log) => async (user, drafts, options) => {
      if (disk.isFull) throw new EventLogError('LOG_WRITE_FAILED', 'The disk is full.');
      return await log.append(user, drafts, options);
    },
  });
  return { disk, harness };
}

const NOT_STORED = {
  code: 'INTERNAL',
  message: expect.stringMatching(/^Our storage .*Reference: req_\w+\.$/),
};

async function errorsOf(harness: Harness, userId: Parameters<Harness['events']>[0]) {
  return (await harness.terminals(userId)).map(({ status, error }) => ({ status, error }));
}

describe('a storage that takes nothing', () => {
  it('fails a run before it begins; its message and its end are told in order when it takes again', async () => {
    const { disk, harness } = createFixture();
    const userId = harness.ids.userId();
    disk.isFull = true;
    const { runId } = await harness.start(userId);
    expect((await harness.runs.findRun(userId, runId))?.status).toBe('failed');
    expect(await harness.types(userId)).toEqual([]);
    disk.isFull = false;
    await harness.clock.advance(10_000);
    expect(await harness.types(userId)).toEqual([...ANNOUNCED, 'agent_completed']);
    expect(await errorsOf(harness, userId)).toEqual([{ status: 'failed', error: NOT_STORED }]);
  });

  it('fails a run in its midst, with what the log has of it shown and no more', async () => {
    const { disk, harness } = createFixture({
      agent: async ({ emit }) => {
        await emit.text('before');
        disk.isFull = true;
        await emit.problem('X', 'behind');
        return await forever();
      },
    });
    const userId = harness.ids.userId();
    const { runId } = await harness.start(userId);
    await harness.clock.advance(1_000);
    expect((await harness.runs.findRun(userId, runId))?.status).toBe('failed');
    const before = await harness.types(userId);
    expect(before).not.toContain('agent_error');
    disk.isFull = false;
    await harness.clock.advance(10_000);
    expect(await harness.types(userId)).toEqual([...before, 'agent_completed']);
    expect(await errorsOf(harness, userId)).toEqual([{ status: 'failed', error: NOT_STORED }]);
  });

  it('fails a run whose answer is whole, and whose end could not be told before', async () => {
    const { disk, harness } = createFixture({
      agent: async () => {
        disk.isFull = true;
        return { text: 'done' };
      },
    });
    const userId = harness.ids.userId();
    const { runId } = await harness.start(userId);
    await harness.clock.advance(1_000);
    // SQL had decided before the append was tried, and nothing takes that back.
    expect((await harness.runs.findRun(userId, runId))?.status).toBe('completed');
    disk.isFull = false;
    await harness.clock.advance(10_000);
    expect((await harness.terminals(userId)).map(({ status, result }) => [status, result])).toEqual([
      ['completed', 'done'],
    ]);
  });

  it("refuses a user's messages while theirs wait, keeps nothing of them, and takes them again afterwards", async () => {
    const { disk, harness } = createFixture();
    const [userId, other] = [harness.ids.userId(), harness.ids.userId()];
    disk.isFull = true;
    await harness.start(userId);
    await harness.clock.settle();
    expect(await harness.say(userId, { id: 'again' })).toMatchObject({
      rejected: {
        code: 'NOT_READY',
        message: expect.stringContaining('storage'),
        retryable: true,
        retryAfterMs: 10_000,
      },
    });
    expect(harness.supervisor.stats()).toMatchObject({ active: 0, reserved: 0 });
    disk.isFull = false;
    // Nothing of another user waits.
    await harness.start(other);
    await harness.clock.advance(10_000);
    expect(await harness.say(userId, { id: 'again' })).toHaveProperty('accepted');
  });

  it('refuses nobody for events that are refused for what they are', async () => {
    let isRefusing = true;
    const harness = createHarness({
      append: (log) => async (user, drafts, options) => {
        if (isRefusing) throw new EventLogError('EVENT_TOO_LARGE', 'Too large.');
        return await log.append(user, drafts, options);
      },
    });
    const userId = harness.ids.userId();
    await harness.start(userId);
    await harness.clock.settle();
    isRefusing = false;
    expect(await harness.say(userId)).toHaveProperty('accepted');
  });

  it('at the start is left to the supervisor, which goes on when it takes again', async () => {
    const first = createHarness({ agent: forever });
    const userId = first.ids.userId();
    await first.start(userId);
    const { disk, harness } = createFixture({ before: first });
    disk.isFull = true;
    const log = overlay(first.log, {
      append: () => Promise.reject(new EventLogError('LOG_WRITE_FAILED', 'The disk is full.')),
    });
    const report = await createRecovery({ ...harness.deps, runs: first.stores.runs }).recover({ log });
    expect(report).toMatchObject({ draftsAppended: 0, draftsWaiting: 1, runsInterrupted: 1 });
    harness.supervisor.resume(report);
    await harness.clock.advance(60_000);
    expect(await harness.terminals(userId)).toEqual([]);
    disk.isFull = false;
    await harness.clock.advance(10_000);
    expect((await harness.terminals(userId)).map(({ status }) => status)).toEqual(['interrupted']);
    expect(await first.stores.runs.pendingOutbox()).toEqual([]);
  });
});

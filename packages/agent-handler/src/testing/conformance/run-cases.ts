import assert from 'node:assert/strict';
import type { RunStoreConformanceCase } from '../run-store-context.js';
import { accept, endOf } from '../run-store-context.js';

/** Starting and ending runs, and the outbox. */
export const RUN_CASES: readonly RunStoreConformanceCase[] = [
  {
    name: 'a run starts once, in its own attempt',
    async run(context) {
      const { runs, clock } = context;
      const userId = await context.newUser();
      const { message } = await accept(context, { userId });
      assert.equal(await runs.startRun(message.runId, 2), false);
      await clock.advance(5);
      assert.equal(await runs.startRun(message.runId, 1), true);
      assert.equal(await runs.startRun(message.runId, 1), false);
      const run = await runs.findRun(userId, message.runId);
      assert.equal(run?.status, 'running');
      assert.equal(run?.startedAtMs, message.nowMs + 5);
    },
  },
  {
    name: 'a run ends once, with its answer and its terminal event',
    async run(context) {
      const { runs, threads } = context;
      const userId = await context.newUser();
      const { message, outcome } = await accept(context, { userId });
      await runs.startRun(message.runId, 1);
      const end = endOf(context, message);
      assert.equal(await runs.finishRun(end), true);
      assert.equal(await runs.finishRun({ ...end, status: 'failed' }), false);
      const run = await runs.findRun(userId, message.runId);
      assert.equal(run?.status, 'completed');
      assert.equal(run?.endedAtMs, end.nowMs);
      assert.deepEqual(await runs.openRuns(), []);
      const { producer, draft } = end.terminal;
      assert.deepEqual(await runs.pendingOutbox(), [outcome.outbox, { userId, producer, drafts: [draft] }]);
      const history = await threads.history(userId, message.thread.threadId, { limit: 10 });
      assert.equal(history.at(-1)?.text, 'Hello yourself.');
    },
  },
  {
    name: 'an end of another attempt or another user writes nothing',
    async run(context) {
      const { runs } = context;
      const userId = await context.newUser();
      const { message, outcome } = await accept(context, { userId });
      assert.equal(await runs.finishRun(endOf(context, message, { attempt: 2 })), false);
      const foreign = { ...endOf(context, message), userId: await context.newUser() };
      assert.equal(await runs.finishRun(foreign), false);
      assert.equal((await runs.findRun(userId, message.runId))?.status, 'accepted');
      assert.deepEqual(await runs.pendingOutbox(), [outcome.outbox]);
    },
  },
  {
    name: 'a run ends also when it has not started, and of two ends at once one counts',
    async run(context) {
      const { runs } = context;
      const userId = await context.newUser();
      const { message } = await accept(context, { userId });
      const ends = [endOf(context, message), endOf(context, message, { status: 'interrupted' })];
      const written = await Promise.all(ends.map((end) => runs.finishRun(end)));
      assert.deepEqual(written.filter(Boolean), [true]);
    },
  },
  {
    name: 'the outbox keeps the order of commits, and forgets exactly what is marked',
    async run(context) {
      const { runs } = context;
      const userId = await context.newUser();
      const first = await accept(context, { userId });
      const second = await accept(context, { userId });
      assert.deepEqual(await runs.pendingOutbox(), [first.outcome.outbox, second.outcome.outbox]);
      const { producer } = first.outcome.outbox;
      await runs.markAppended(userId, { ...producer, n: 2 });
      await runs.markAppended(await context.newUser(), producer);
      assert.equal((await runs.pendingOutbox()).length, 2);
      await runs.markAppended(userId, producer);
      await runs.markAppended(userId, producer);
      assert.deepEqual(await runs.pendingOutbox(), [second.outcome.outbox]);
    },
  },
  {
    name: 'the open runs are those of all users that are accepted or running',
    async run(context) {
      const { runs } = context;
      const accepted = await accept(context, { userId: await context.newUser() });
      const running = await accept(context, { userId: await context.newUser() });
      const ended = await accept(context, { userId: await context.newUser() });
      await runs.startRun(running.message.runId, 1);
      await runs.finishRun(endOf(context, ended.message));
      const open = (await runs.openRuns()).map(({ runId }) => runId);
      assert.deepEqual(open.sort(), [accepted.message.runId, running.message.runId].sort());
    },
  },
];

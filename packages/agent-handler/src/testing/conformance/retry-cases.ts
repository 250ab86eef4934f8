import assert from 'node:assert/strict';
import type { RunStoreConformanceCase } from '../run-store-context.js';
import { accept, endOf } from '../run-store-context.js';

/** Runs that are begun again. */
export const RETRY_CASES: readonly RunStoreConformanceCase[] = [
  {
    name: 'an attempt that died gives way to the next one, with an answer of its own and the same message',
    async run(context) {
      const { runs, ids } = context;
      const userId = await context.newUser();
      const { message } = await accept(context, { userId });
      const { runId, messageId } = message;
      await runs.startRun(runId, 1);
      const answerId = ids.messageId();
      const retried = await runs.retryRun({ userId, runId, attempt: 1, answerId });
      assert.deepEqual(retried, {
        run: {
          userId,
          runId,
          threadId: message.thread.threadId,
          agent: 'echo',
          messageId,
          answerId,
          attempt: 2,
          status: 'accepted',
          acceptedAtMs: message.nowMs,
          startedAtMs: undefined,
          endedAtMs: undefined,
        },
        parts: message.parts,
      });
      assert.deepEqual(await runs.findRun(userId, runId), retried?.run);
      assert.deepEqual(await runs.openRuns(), [retried?.run]);
    },
  },
  {
    name: 'an attempt that never started is kept, with the answer it has, however often it is retried',
    async run(context) {
      const { runs, ids } = context;
      const userId = await context.newUser();
      const { message } = await accept(context, { userId });
      const { runId, answerId } = message;
      const before = await runs.findRun(userId, runId);
      for (let time = 1; time <= 2; time += 1) {
        const retried = await runs.retryRun({ userId, runId, attempt: 1, answerId: ids.messageId() });
        assert.deepEqual(retried, { run: before, parts: message.parts });
      }
      assert.equal((await runs.findRun(userId, runId))?.answerId, answerId);
    },
  },
  {
    name: 'only the open attempt can be retried, and only as its user',
    async run(context) {
      const { runs, ids } = context;
      const userId = await context.newUser();
      const { message } = await accept(context, { userId });
      const { runId } = message;
      await runs.startRun(runId, 1);
      const answerId = ids.messageId();
      const other = await context.newUser();
      assert.equal(await runs.retryRun({ userId: other, runId, attempt: 1, answerId }), undefined);
      assert.equal(await runs.retryRun({ userId, runId, attempt: 2, answerId }), undefined);
      assert.equal((await runs.findRun(userId, runId))?.attempt, 1);
      await runs.finishRun(endOf(context, message));
      assert.equal(await runs.retryRun({ userId, runId, attempt: 1, answerId }), undefined);
      assert.equal((await runs.findRun(userId, runId))?.status, 'completed');
    },
  },
  {
    name: 'of two retries of one attempt at once one counts',
    async run(context) {
      const { runs, ids } = context;
      const userId = await context.newUser();
      const { runId } = (await accept(context, { userId })).message;
      await runs.startRun(runId, 1);
      const retried = await Promise.all(
        [0, 1].map(() => runs.retryRun({ userId, runId, attempt: 1, answerId: ids.messageId() })),
      );
      assert.equal(retried.filter((run) => run !== undefined).length, 1);
      assert.equal((await runs.findRun(userId, runId))?.attempt, 2);
    },
  },
  {
    name: 'a retried run starts and ends in its new attempt alone, and its answer is the new one',
    async run(context) {
      const { runs, threads, ids } = context;
      const userId = await context.newUser();
      const { message } = await accept(context, { userId });
      const { runId, thread } = message;
      await runs.startRun(runId, 1);
      const answerId = ids.messageId();
      await runs.retryRun({ userId, runId, attempt: 1, answerId });
      assert.equal(await runs.startRun(runId, 1), false);
      assert.equal(await runs.startRun(runId, 2), true);
      assert.equal(await runs.finishRun(endOf(context, message)), false);
      assert.equal(await runs.finishRun(endOf(context, message, { attempt: 2 })), true);
      const history = await threads.history(userId, thread.threadId, { limit: 10 });
      assert.deepEqual(history.at(-1), { messageId: answerId, role: 'assistant', text: 'Hello yourself.' });
      assert.equal(history.length, 2);
    },
  },
  {
    name: 'the end of an attempt that the log does not have brings its start along, in one entry',
    async run(context) {
      const { runs } = context;
      const userId = await context.newUser();
      const { message, outcome } = await accept(context, { userId });
      const { runId, answerId, agent, thread } = message;
      const end = endOf(context, message);
      const begins = {
        type: 'agent_started',
        threadId: thread.threadId,
        runId,
        data: { agent, messageId: answerId, attempt: 2 },
      } as const;
      assert.equal(await runs.finishRun({ ...end, begins }), true);
      const { producer, draft } = end.terminal;
      const entry = { userId, producer, drafts: [begins, draft] };
      assert.deepEqual(await runs.pendingOutbox(), [outcome.outbox, entry]);
    },
  },
];

import assert from 'node:assert/strict';
import type { RunStoreConformanceCase } from '../run-store-context.js';
import { accept, endOf, messageOf } from '../run-store-context.js';

/** Accepting messages. */
export const MESSAGE_CASES: readonly RunStoreConformanceCase[] = [
  {
    name: 'a first message makes thread, message, run, reply and outbox entry',
    async run(context) {
      const { runs, threads } = context;
      const userId = await context.newUser();
      const command = { id: 'c1', bodyHash: 'h1' };
      const { message, outcome } = await accept(context, { userId, command });
      const { threadId } = message.thread;
      const { runId, messageId, answerId } = message;
      assert.deepEqual(outcome.reply, { accepted: { runId, threadId, messageId } });
      const added = { messageId, role: 'user', parts: message.parts, commandId: 'c1' };
      assert.deepEqual(outcome.outbox.drafts, [
        { type: 'thread_created', threadId, data: { title: 'A thread' } },
        { type: 'message_added', threadId, runId, data: added },
      ]);
      assert.deepEqual(await runs.pendingOutbox(), [outcome.outbox]);
      assert.deepEqual(await runs.findRun(userId, runId), {
        userId,
        runId,
        threadId,
        agent: 'echo',
        messageId,
        answerId,
        attempt: 1,
        status: 'accepted',
        acceptedAtMs: message.nowMs,
        startedAtMs: undefined,
        endedAtMs: undefined,
      });
      const history = await threads.history(userId, threadId, { limit: 10 });
      assert.deepEqual(history, [{ messageId, role: 'user', text: 'Hello.' }]);
    },
  },
  {
    name: 'a later message drafts no thread, and history gives the newest before it, oldest first',
    async run(context) {
      const { runs, threads } = context;
      const userId = await context.newUser();
      const { message: first } = await accept(context, { userId });
      await context.clock.advance(1);
      assert.equal(await runs.finishRun(endOf(context, first)), true);
      await context.clock.advance(1);
      const thread = { kind: 'existing', threadId: first.thread.threadId } as const;
      const { message, outcome } = await accept(context, { userId, thread });
      assert.deepEqual(
        outcome.outbox.drafts.map(({ type }) => type),
        ['message_added'],
      );
      const ask = { before: message.messageId, limit: 10 };
      const answer = { messageId: first.answerId, role: 'assistant', text: 'Hello yourself.' };
      const question = { messageId: first.messageId, role: 'user', text: 'Hello.' };
      assert.deepEqual(await threads.history(userId, thread.threadId, ask), [question, answer]);
      assert.deepEqual(await threads.history(userId, thread.threadId, { ...ask, limit: 1 }), [answer]);
    },
  },
  {
    name: 'a thread with an open run is busy, and nothing is written',
    async run(context) {
      const { runs } = context;
      const userId = await context.newUser();
      const { message: first, outcome } = await accept(context, { userId });
      const thread = { kind: 'existing', threadId: first.thread.threadId } as const;
      const second = messageOf(context, { userId, thread, command: { id: 'c2', bodyHash: 'h2' } });
      assert.deepEqual(await runs.acceptMessage(second), { kind: 'threadBusy', runId: first.runId });
      assert.equal(await runs.startRun(first.runId, 1), true);
      assert.deepEqual(await runs.acceptMessage(second), { kind: 'threadBusy', runId: first.runId });
      assert.equal(await runs.findRun(userId, second.runId), undefined);
      assert.deepEqual(await runs.pendingOutbox(), [outcome.outbox]);
      assert.deepEqual(await runs.recallCommand(userId, { id: 'c2', bodyHash: 'h2' }), { kind: 'unknown' });
    },
  },
  {
    name: "another user's thread is a missing one, and its history is empty",
    async run(context) {
      const { runs, threads } = context;
      const [owner, other] = [await context.newUser(), await context.newUser()];
      const { message } = await accept(context, { userId: owner });
      const { threadId } = message.thread;
      const foreign = messageOf(context, { userId: other, thread: { kind: 'existing', threadId } });
      assert.deepEqual(await runs.acceptMessage(foreign), { kind: 'threadNotFound' });
      const missing = { kind: 'existing', threadId: context.ids.threadId() } as const;
      const lost = messageOf(context, { userId: other, thread: missing });
      assert.deepEqual(await runs.acceptMessage(lost), { kind: 'threadNotFound' });
      assert.deepEqual(await threads.history(other, threadId, { limit: 10 }), []);
      assert.equal(await runs.findRun(other, message.runId), undefined);
    },
  },
  {
    name: 'of two messages at once in one thread one is accepted',
    async run(context) {
      const userId = await context.newUser();
      const { message: first } = await accept(context, { userId });
      await context.runs.finishRun(endOf(context, first));
      const thread = { kind: 'existing', threadId: first.thread.threadId } as const;
      const both = [messageOf(context, { userId, thread }), messageOf(context, { userId, thread })];
      const outcomes = await Promise.all(both.map((message) => context.runs.acceptMessage(message)));
      assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), ['accepted', 'threadBusy']);
    },
  },
];

import assert from 'node:assert/strict';
import type { EventLogConformanceCase } from '../conformance-context.js';
import { completed, renamed, renamedTimes, started, thinking } from './drafts.js';
import {
  assertRefused,
  eventsOf,
  pageOf,
  quiet,
  recordWakes,
  resetReasonOf,
  setScene,
  wordsOf,
} from './scene.js';

/** Erasure. */
export const ERASE_CASES: readonly EventLogConformanceCase[] = [
  {
    name: "from its return reads serve erased in place of the thread's events, with the same seq, id and time",
    async run(context) {
      const { log, user, run } = await setScene(context);
      const secret = 'the secret of the thread';
      const at = context.clock.nowMs();
      await log.append(user, [started(run), thinking(run, secret), renamed(run.threadId, secret)]);
      const before = await eventsOf(log, user);
      await context.clock.advance(1_000);
      assert.equal(await log.erase(user, { threadId: run.threadId }), 3);
      const after = await eventsOf(log, user);
      assert.equal(after.length, 3);
      for (const [index, event] of after.entries()) {
        const { seq, id } = before[index] ?? { seq: 0, id: '' };
        assert.deepEqual(JSON.parse(event.json), { type: 'erased', seq, id, at, data: {} });
        assert.deepEqual(
          [event.seq, event.id, event.type, event.class, event.threadId, event.runId],
          [seq, id, 'erased', 'durable', undefined, undefined],
        );
        assert.equal(event.bytes, new TextEncoder().encode(event.json).length);
      }
    },
  },
  {
    name: 'cursors stay good over an erasure',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const { epoch, lastId } = await log.append(user, renamedTimes(threadId, 3));
      await log.erase(user, { threadId });
      assert.equal(await resetReasonOf(log, user, { epoch, seq: 3, id: lastId }), undefined);
      const { events } = await pageOf(log, user, { after: { epoch, seq: 1 } });
      assert.deepEqual(wordsOf(events), ['erased', 'erased']);
      assert.equal((await log.append(user, renamedTimes(context.ids.threadId(), 1))).firstSeq, 4);
    },
  },
  {
    name: 'an erasure leaves other threads and other users alone, and thread_deleted for readers behind',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const other = context.newUser();
      const mine = [renamed(threadId, 'a'), renamed(context.ids.threadId(), 'b')];
      await log.append(user, [...mine, { type: 'thread_deleted', threadId, data: {} }]);
      await log.append(other, [renamed(threadId, 'theirs')]);
      assert.equal(await log.erase(user, { threadId }), 1);
      assert.deepEqual(wordsOf(await eventsOf(log, user)), ['erased', 'b', 'thread_deleted']);
      assert.deepEqual(wordsOf(await eventsOf(log, other)), ['theirs']);
    },
  },
  {
    name: 'erasing again, or what was never there, replaces nothing',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      await log.append(user, renamedTimes(threadId, 3));
      await log.erase(user, { threadId });
      const erased = await eventsOf(log, user);
      assert.equal(await log.erase(user, { threadId }), 0);
      assert.equal(await log.erase(context.newUser(), { threadId }), 0);
      assert.deepEqual(await eventsOf(log, user), erased);
    },
  },
  {
    name: 'the open runs of the thread are over, those of other threads are not',
    async run(context) {
      const { log, user, run } = await setScene(context);
      const threadId = context.ids.threadId();
      const other = { threadId, runId: context.ids.runId(threadId) };
      await log.append(user, [started(run), started(other)]);
      await log.erase(user, { threadId: run.threadId });
      assert.deepEqual(await log.openRuns(), [{ userId: user, ...other, attempt: 1, firstSeq: 2 }]);
      await assertRefused(() => log.append(user, [thinking(run)]), 'RUN_ENDED');
      await assertRefused(() => log.append(user, [completed(run)]), 'RUN_ENDED');
      await log.append(user, [completed(other)]);
    },
  },
  {
    name: 'a producer is known after its events are erased',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const producer = { id: 'cmd:1', attempt: 1, n: 1 };
      const first = await log.append(user, renamedTimes(threadId, 1), { producer });
      await log.erase(user, { threadId });
      const again = await log.append(user, renamedTimes(threadId, 1), { producer });
      assert.deepEqual(again, { ...first, duplicate: true });
    },
  },
  {
    name: 'an erasure wakes nobody, and wakes after it are continuous',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      await log.append(user, renamedTimes(threadId, 2));
      await quiet(context);
      const { wakes, carried } = recordWakes(log, user);
      await log.erase(user, { threadId });
      await quiet(context);
      assert.deepEqual(wakes, []);
      await log.append(user, renamedTimes(threadId, 1));
      await quiet(context);
      assert.deepEqual(carried, [3]);
    },
  },
];

import assert from 'node:assert/strict';
import type { EventLogConformanceCase } from '../conformance-context.js';
import { renamed, renamedTimes } from './drafts.js';
import { eventsOf, originOf, pageOf, resetReasonOf, setScene, wordsOf } from './scene.js';

/** Trim and retention: what is not kept is never silently missing. */
export const RETENTION_CASES: readonly EventLogConformanceCase[] = [
  {
    name: 'a trim moves first, keeps the head, and seq goes on',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const { epoch, lastId } = await log.append(user, renamedTimes(threadId, 5));
      await log.trim(user, { before: 3 });
      assert.deepEqual(await log.stream(user), { epoch, first: 3, head: 5, headId: lastId });
      assert.deepEqual(wordsOf(await eventsOf(log, user)), ['3', '4', '5']);
      assert.equal((await log.append(user, renamedTimes(threadId, 1))).firstSeq, 6);
    },
  },
  {
    name: 'a trim beyond the head empties the stream and no more; below first it does nothing',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const { epoch, lastId } = await log.append(user, renamedTimes(threadId, 3));
      await log.trim(user, { before: 99 });
      assert.deepEqual(await log.stream(user), { epoch, first: 4, head: 3, headId: lastId });
      assert.deepEqual(await eventsOf(log, user), []);
      await log.trim(user, { before: 2 });
      assert.equal((await log.append(user, renamedTimes(threadId, 1))).firstSeq, 4);
      assert.deepEqual(wordsOf(await eventsOf(log, user)), ['1']);
      await log.trim(context.newUser(), { before: 99 });
    },
  },
  {
    name: 'a reader that is overtaken by a trim gets reset with trimmed',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      await log.append(user, renamedTimes(threadId, 10));
      const page = await pageOf(log, user, { limitEvents: 3 });
      await log.trim(user, { before: 5 });
      assert.equal(await resetReasonOf(log, user, page.at), 'trimmed');
    },
  },
  {
    name: 'more events than are kept move first, one by one',
    async run(context) {
      const { log, user, threadId } = await setScene(context, { retention: { maxEvents: 3 } });
      await log.append(user, renamedTimes(threadId, 3));
      assert.equal((await log.stream(user)).first, 1);
      await log.append(user, [renamed(threadId, '4')]);
      assert.deepEqual(wordsOf(await eventsOf(log, user)), ['2', '3', '4']);
      await log.append(user, renamedTimes(threadId, 5));
      assert.deepEqual(wordsOf(await eventsOf(log, user)), ['3', '4', '5']);
    },
  },
  {
    name: 'more bytes than are kept move first, the newest event stays whatever its size',
    async run(context) {
      const { log, user, threadId } = await setScene(context, { retention: { maxBytes: 2_000 } });
      await log.append(user, [renamed(threadId, 'a'.repeat(700)), renamed(threadId, 'b'.repeat(700))]);
      assert.equal((await log.stream(user)).first, 1);
      await log.append(user, [renamed(threadId, 'c'.repeat(700))]);
      assert.equal((await log.stream(user)).first, 2);
      await log.append(user, [renamed(threadId, 'd'.repeat(5_000))]);
      const { first, head } = await log.stream(user);
      assert.deepEqual([first, head], [4, 4]);
    },
  },
  {
    name: 'one user beyond the limits moves nobody else',
    async run(context) {
      const { log, user, threadId } = await setScene(context, { retention: { maxEvents: 2 } });
      const other = context.newUser();
      await log.append(other, renamedTimes(threadId, 2));
      await log.append(user, renamedTimes(threadId, 50));
      assert.equal((await log.stream(other)).first, 1);
      assert.equal((await log.stream(user)).first, 49);
    },
  },
  {
    name: 'what is older than the retention is not served, without any append in between',
    async run(context) {
      const { log, user, threadId } = await setScene(context, { retention: { maxAgeMs: 60_000 } });
      const start = await originOf(log, user);
      await log.append(user, [renamed(threadId, 'old')]);
      await context.clock.advance(30_000);
      const { lastId } = await log.append(user, [renamed(threadId, 'young')]);
      await context.clock.advance(30_000);
      assert.deepEqual(wordsOf(await eventsOf(log, user)), ['old', 'young']);
      await context.clock.advance(1);
      assert.equal(await resetReasonOf(log, user, start), 'trimmed');
      assert.deepEqual(wordsOf(await eventsOf(log, user)), ['young']);
      await context.clock.advance(60_000);
      assert.deepEqual(await log.stream(user), { epoch: start.epoch, first: 3, head: 2, headId: lastId });
      assert.equal((await log.append(user, renamedTimes(threadId, 1))).firstSeq, 3);
    },
  },
];

import assert from 'node:assert/strict';
import type { EventLogConformanceCase } from '../conformance-context.js';
import { completed, renamed, started, thinking } from './drafts.js';
import { assertRefused, setScene } from './scene.js';

/** Runs: open ones, and their one end. */
export const RUN_CASES: readonly EventLogConformanceCase[] = [
  {
    name: 'a run is open from agent_started to agent_completed',
    async run(context) {
      const { log, user, run } = await setScene(context);
      await log.append(user, [renamed(run.threadId, 'before')]);
      assert.deepEqual(await log.openRuns(), []);
      await log.append(user, [started(run), thinking(run)]);
      assert.deepEqual(await log.openRuns(), [{ userId: user, ...run, attempt: 1, firstSeq: 2 }]);
      await log.append(user, [completed(run)]);
      assert.deepEqual(await log.openRuns(), []);
    },
  },
  {
    name: 'the open runs of all users, or of one, are listed, each with its highest attempt and its first event',
    async run(context) {
      const { log, user, run } = await setScene(context);
      const other = context.newUser();
      const threadId = context.ids.threadId();
      const otherRun = { threadId, runId: context.ids.runId(threadId) };
      await log.append(user, [started(run)], { producer: { id: run.runId, attempt: 1, n: 1 } });
      await log.append(other, [started(otherRun)]);
      await log.append(user, [started(run, 2)], { producer: { id: run.runId, attempt: 2, n: 1 } });
      const open = await log.openRuns();
      assert.equal(open.length, 2);
      assert.deepEqual(
        open.find(({ userId }) => userId === user),
        { userId: user, ...run, attempt: 2, firstSeq: 1 },
      );
      assert.deepEqual(
        open.find(({ userId }) => userId === other),
        { userId: other, ...otherRun, attempt: 1, firstSeq: 1 },
      );
      assert.deepEqual(
        (await log.openRuns(other)).map(({ runId }) => runId),
        [otherRun.runId],
      );
      assert.deepEqual(await log.openRuns(context.newUser()), []);
    },
  },
  {
    name: 'the first event of an open run is the first that can still be read',
    async run(context) {
      const { log, user, run } = await setScene(context);
      const other = renamed(run.threadId, 'of no run');
      await log.append(user, [started(run), thinking(run), other, thinking(run)]);
      await log.trim(user, { before: 3 });
      assert.deepEqual(await log.openRuns(), [{ userId: user, ...run, attempt: 1, firstSeq: 4 }]);
      await log.trim(user, { before: 5 });
      assert.deepEqual(await log.openRuns(), [{ userId: user, ...run, attempt: 1, firstSeq: 5 }]);
    },
  },
  {
    name: 'nothing of a run comes after its terminal event, and there is no second one, whatever the attempt',
    async run(context) {
      const { log, user, run } = await setScene(context);
      const producer = (attempt: number, n: number) => ({
        producer: { id: run.runId, attempt, n },
      });
      await log.append(user, [started(run), completed(run)], producer(1, 1));
      await assertRefused(() => log.append(user, [thinking(run)]), 'RUN_ENDED');
      await assertRefused(() => log.append(user, [completed(run)]), 'RUN_ENDED');
      await assertRefused(() => log.append(user, [completed(run)], producer(1, 2)), 'RUN_ENDED');
      await assertRefused(() => log.append(user, [started(run, 2)], producer(2, 1)), 'RUN_ENDED');
      assert.equal((await log.stream(user)).head, 2);
    },
  },
  {
    name: 'the end counts within one append too, and then none of it is taken',
    async run(context) {
      const { log, user, run } = await setScene(context);
      const twice = [started(run), completed(run), completed(run)];
      await assertRefused(() => log.append(user, twice), 'RUN_ENDED');
      await assertRefused(() => log.append(user, [completed(run), thinking(run)]), 'RUN_ENDED');
      assert.equal((await log.stream(user)).head, 0);
    },
  },
  {
    name: 'of two terminal events at the same time one is taken',
    async run(context) {
      const { log, user, run } = await setScene(context);
      await log.append(user, [started(run)]);
      const ends = await Promise.allSettled([
        log.append(user, [completed(run)], { producer: { id: run.runId, attempt: 1, n: 1 } }),
        log.append(user, [completed(run)], { producer: { id: 'cmd:stop', attempt: 1, n: 1 } }),
      ]);
      assert.deepEqual(
        ends.map(({ status }) => status),
        ['fulfilled', 'rejected'],
      );
    },
  },
  {
    name: 'the end of one run leaves other runs and other events alone',
    async run(context) {
      const { log, user, run } = await setScene(context);
      const other = { threadId: run.threadId, runId: context.ids.runId(run.threadId) };
      await log.append(user, [started(run), started(other), completed(run)]);
      await log.append(user, [thinking(other), renamed(run.threadId, 'after')]);
      assert.deepEqual(await log.openRuns(), [{ userId: user, ...other, attempt: 1, firstSeq: 2 }]);
    },
  },
  {
    name: 'an ended run stays ended for 24 hours, also when its events are trimmed',
    async run(context) {
      const { log, user, run } = await setScene(context);
      const { lastSeq } = await log.append(user, [started(run), completed(run)]);
      await log.trim(user, { before: lastSeq + 1 });
      await context.clock.advance(24 * 60 * 60 * 1_000 - 1);
      await assertRefused(() => log.append(user, [thinking(run)]), 'RUN_ENDED');
    },
  },
];

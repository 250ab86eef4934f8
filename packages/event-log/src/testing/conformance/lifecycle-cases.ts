import assert from 'node:assert/strict';
import type { EventLogConformanceCase } from '../conformance-context.js';
import { renamedTimes } from './drafts.js';
import { assertRefused, quiet, recordWakes, setScene } from './scene.js';

/** The end of a log. */
export const LIFECYCLE_CASES: readonly EventLogConformanceCase[] = [
  {
    name: 'after close every call rejects with LOG_CLOSED and none throws; subscribing does nothing',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const { epoch } = await log.stream(user);
      await log.close();
      const request = { after: { epoch, seq: 0 }, limitEvents: 1, limitBytes: 1 };
      await assertRefused(() => log.append(user, renamedTimes(threadId, 1)), 'LOG_CLOSED');
      await assertRefused(() => log.append(user, []), 'LOG_CLOSED');
      await assertRefused(() => log.read(user, request), 'LOG_CLOSED');
      await assertRefused(() => log.stream(user), 'LOG_CLOSED');
      await assertRefused(() => log.openRuns(), 'LOG_CLOSED');
      await assertRefused(() => log.erase(user, { threadId }), 'LOG_CLOSED');
      await assertRefused(() => log.trim(user, { before: 1 }), 'LOG_CLOSED');
      const { stop, wakes } = recordWakes(log, user);
      stop();
      stop();
      assert.deepEqual(wakes, []);
    },
  },
  {
    name: 'an append under way when the log closes settles, and its wake comes before close has settled',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const { carried } = recordWakes(log, user);
      const appends = [1, 2, 3].map(() => log.append(user, renamedTimes(threadId, 1)));
      await log.close();
      const results = await Promise.all(appends);
      assert.deepEqual(
        results.map(({ lastSeq }) => lastSeq),
        [1, 2, 3],
      );
      assert.deepEqual(carried, [1, 2, 3]);
      await quiet(context);
      assert.equal(carried.length, 3);
    },
  },
  {
    name: 'a log closes more than once, also by disposal, and leaves no timer behind',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      await log.append(user, renamedTimes(threadId, 1));
      await Promise.all([log.close(), log.close(), log[Symbol.asyncDispose]()]);
      await log.close();
      assert.equal(context.clock.pendingTimers, 0);
    },
  },
  {
    name: 'no call throws synchronously, whatever it is given',
    async run(context) {
      const { log, user } = await setScene(context);
      const nothing = undefined as never;
      await assert.rejects(() => log.append(user, nothing));
      await assert.rejects(() => log.read(user, nothing));
      await assert.rejects(() => log.erase(user, nothing));
      await assert.rejects(() => log.trim(user, nothing));
    },
  },
];

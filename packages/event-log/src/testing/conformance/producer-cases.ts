import assert from 'node:assert/strict';
import type { EventLogConformanceCase } from '../conformance-context.js';
import { completed, renamed, renamedTimes, started, thinking } from './drafts.js';
import { assertRefused, eventsOf, setScene, wordsOf } from './scene.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Producer keys. */
export const PRODUCER_CASES: readonly EventLogConformanceCase[] = [
  {
    name: 'the same n again appends nothing and returns the first result, marked as a duplicate',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const producer = { id: 'cmd:1', attempt: 1, n: 1 };
      const first = await log.append(user, renamedTimes(threadId, 2), { producer });
      await log.append(user, [renamed(threadId, 'between')]);
      const again = await log.append(user, renamedTimes(threadId, 2), { producer });
      assert.deepEqual(again, { ...first, duplicate: true });
      assert.equal((await log.stream(user)).head, 3);
    },
  },
  {
    name: 'a repeat made before the first settles is a duplicate as well',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const producer = { id: 'cmd:1', attempt: 1, n: 1 };
      const drafts = renamedTimes(threadId, 2);
      const [first, again] = await Promise.all([
        log.append(user, drafts, { producer }),
        log.append(user, drafts, { producer }),
      ]);
      assert.deepEqual(again, { ...first, duplicate: true });
      assert.equal((await log.stream(user)).head, 2);
    },
  },
  {
    name: 'the last 64 appends of an attempt are remembered, each with its own result',
    async run(context) {
      const { log, user, run } = await setScene(context);
      const results = [];
      for (let n = 1; n <= 200; n += 1) {
        const producer = { id: run.runId, attempt: 1, n };
        results.push(await log.append(user, [thinking(run, String(n))], { producer }));
      }
      for (let n = 200 - 63; n <= 200; n += 1) {
        const again = await log.append(user, [thinking(run)], { producer: { id: run.runId, attempt: 1, n } });
        assert.deepEqual(again, { ...results[n - 1], duplicate: true });
      }
    },
  },
  {
    name: 'an n that skips is refused, and so is a first one that is not 1',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const append = (n: number) =>
        log.append(user, renamedTimes(threadId, 1), { producer: { id: 'cmd:1', attempt: 1, n } });
      for (const n of [2, 0, -1, 1.5, Number.NaN]) await assertRefused(() => append(n), 'PRODUCER_GAP');
      await append(1);
      for (const n of [3, 0, 0.5, Number.NaN]) await assertRefused(() => append(n), 'PRODUCER_GAP');
      assert.equal((await append(2)).firstSeq, 2);
    },
  },
  {
    name: 'a refused append does not count: its n can be used again',
    async run(context) {
      const { log, user, threadId } = await setScene(context, { maxEventBytes: 1_000 });
      const producer = { id: 'cmd:1', attempt: 1, n: 1 };
      const large = [renamed(threadId, 'x'.repeat(1_000))];
      await assertRefused(() => log.append(user, large, { producer }), 'EVENT_TOO_LARGE');
      const { duplicate } = await log.append(user, [renamed(threadId, 'smaller')], { producer });
      assert.equal(duplicate, false);
      const next = { id: 'cmd:1', attempt: 2, n: 1 };
      await assertRefused(() => log.append(user, large, { producer: next }), 'EVENT_TOO_LARGE');
      const old = { id: 'cmd:1', attempt: 1, n: 2 };
      assert.equal(
        (await log.append(user, [renamed(threadId, 'not fenced')], { producer: old })).firstSeq,
        2,
      );
    },
  },
  {
    name: 'a new attempt begins with n 1 and fences the attempts before it, repeats included',
    async run(context) {
      const { log, user, run } = await setScene(context);
      const append = (attempt: number, n: number) =>
        log.append(user, [thinking(run, `${attempt}.${n}`)], { producer: { id: run.runId, attempt, n } });
      await append(1, 1);
      await append(1, 2);
      await assertRefused(() => append(3, 3), 'PRODUCER_GAP');
      await append(3, 1);
      for (const n of [1, 2, 3]) await assertRefused(() => append(1, n), 'FENCED');
      await assertRefused(() => append(2, 1), 'FENCED');
      await append(3, 2);
      assert.deepEqual(wordsOf(await eventsOf(log, user)), ['1.1', '1.2', '3.1', '3.2']);
    },
  },
  {
    name: 'attempts count from 1',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      for (const attempt of [0, -1, 1.5, Number.NaN]) {
        const producer = { id: 'cmd:1', attempt, n: 1 };
        await assertRefused(() => log.append(user, renamedTimes(threadId, 1), { producer }), 'FENCED');
      }
    },
  },
  {
    name: 'producers are told apart by user and by id',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const other = context.newUser();
      const producer = { id: 'cmd:1', attempt: 1, n: 1 };
      const results = await Promise.all([
        log.append(user, renamedTimes(threadId, 1), { producer }),
        log.append(other, renamedTimes(threadId, 1), { producer }),
        log.append(user, renamedTimes(threadId, 1), { producer: { ...producer, id: 'cmd:2' } }),
      ]);
      assert(results.every(({ duplicate }) => !duplicate));
    },
  },
  {
    name: "a repeat of a run's terminal append is a duplicate, not an event after the end",
    async run(context) {
      const { log, user, run } = await setScene(context);
      await log.append(user, [started(run)], { producer: { id: run.runId, attempt: 1, n: 1 } });
      const producer = { id: run.runId, attempt: 1, n: 2 };
      const end = await log.append(user, [completed(run)], { producer });
      const again = await log.append(user, [completed(run)], { producer });
      assert.deepEqual(again, { ...end, duplicate: true });
    },
  },
  {
    name: 'a producer is known for 24 hours after its last append, trimmed or not, and as long as its events',
    async run(context) {
      const { log, user, threadId } = await setScene(context, { retention: { maxAgeMs: 4 * DAY_MS } });
      const append = (id: string) =>
        log.append(user, renamedTimes(threadId, 1), { producer: { id, attempt: 1, n: 1 } });
      const trimmed = await append('cmd:trimmed');
      await log.trim(user, { before: trimmed.lastSeq + 1 });
      await append('cmd:kept');
      await context.clock.advance(DAY_MS - 1);
      assert.equal((await append('cmd:trimmed')).duplicate, true);
      await context.clock.advance(3 * DAY_MS);
      assert.equal((await append('cmd:kept')).duplicate, true);
    },
  },
];

import assert from 'node:assert/strict';
import type { EncodedEvent } from '../../contract.js';
import type { EventLogConformanceCase } from '../conformance-context.js';
import { renamed, renamedTimes } from './drafts.js';
import { eventsOf, pageOf, quiet, recordWakes, setScene, until, wordsOf } from './scene.js';

/** Subscriptions. */
export const WAKE_CASES: readonly EventLogConformanceCase[] = [
  {
    name: 'a subscriber is woken after the append has settled, not before',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const order: string[] = [];
      log.subscribe(user, () => order.push('woken'));
      const settled = log.append(user, renamedTimes(threadId, 1)).then(() => order.push('settled'));
      assert.deepEqual(order, []);
      await settled;
      await until(context, () => order.length === 2, 'the wake');
      assert.deepEqual(order, ['settled', 'woken']);
    },
  },
  {
    name: 'wakes carry every event once, in order of seq, as reads serve them',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const { carried, wakes } = recordWakes(log, user);
      await log.append(user, renamedTimes(threadId, 3));
      await Promise.all([1, 2, 3, 4].map((count) => log.append(user, renamedTimes(threadId, count))));
      await until(context, () => carried.length === 13, '13 events');
      await log.append(user, renamedTimes(threadId, 1));
      await until(context, () => carried.length === 14, 'the last event');
      assert.deepEqual(
        carried,
        Array.from({ length: 14 }, (_, index) => index + 1),
      );
      const { epoch } = await log.stream(user);
      assert(wakes.every((batch) => batch?.epoch === epoch));
      assert.deepEqual(
        wakes.flatMap((batch) => batch?.events ?? []).map(spelledOut),
        (await eventsOf(log, user)).map(spelledOut),
      );
    },
  },
  {
    name: 'a subscriber that comes later is woken for what comes after it, batch included',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      await log.append(user, renamedTimes(threadId, 3));
      const { carried } = recordWakes(log, user);
      await quiet(context);
      assert.deepEqual(carried, []);
      await log.append(user, renamedTimes(threadId, 2));
      await until(context, () => carried.length > 0, 'the wake');
      assert.deepEqual(carried, [4, 5]);
    },
  },
  {
    name: 'whoever reads when woken can read what the wake stands for',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const { epoch } = await log.stream(user);
      const pages: Promise<string[]>[] = [];
      log.subscribe(user, () => {
        pages.push(pageOf(log, user, { after: { epoch, seq: 0 } }).then(({ events }) => wordsOf(events)));
      });
      await log.append(user, [renamed(threadId, 'here')]);
      await until(context, () => pages.length > 0, 'the wake');
      assert.deepEqual(await pages[0], ['here']);
    },
  },
  {
    name: 'every subscriber of the user is woken, nobody of another user is',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const one = recordWakes(log, user);
      const two = recordWakes(log, user);
      const foreign = recordWakes(log, context.newUser());
      await log.append(user, renamedTimes(threadId, 2));
      await until(context, () => one.carried.length + two.carried.length === 4, 'two wakes');
      await quiet(context);
      assert.deepEqual([one.carried, two.carried, foreign.wakes], [[1, 2], [1, 2], []]);
    },
  },
  {
    name: 'a subscription that was undone is woken no more, and undoing it again undoes nothing else',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const undone = recordWakes(log, user);
      undone.stop();
      const kept = recordWakes(log, user);
      undone.stop();
      await log.append(user, renamedTimes(threadId, 1));
      await until(context, () => kept.wakes.length === 1, 'the wake');
      await quiet(context);
      assert.deepEqual(undone.wakes, []);
    },
  },
  {
    name: 'a subscriber can undo its own or the next subscription from within its wake',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      let calls = 0;
      const stop = log.subscribe(user, () => {
        calls += 1;
        stop();
        next.stop();
      });
      const next = recordWakes(log, user);
      const last = recordWakes(log, user);
      await log.append(user, renamedTimes(threadId, 1));
      await until(context, () => last.wakes.length === 1, 'the first wake');
      await log.append(user, renamedTimes(threadId, 1));
      await until(context, () => last.wakes.length === 2, 'the second wake');
      assert.deepEqual([calls, next.wakes.length], [1, 0]);
    },
  },
  {
    name: 'a subscriber that throws is logged, others are woken, and its next wake makes it read',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const seen: (number | undefined)[] = [];
      log.subscribe(user, (batch) => {
        seen.push(batch?.events[0]?.seq);
        if (seen.length === 1) throw new Error('subscriber failed');
      });
      const other = recordWakes(log, user);
      for (let wake = 1; wake <= 3; wake += 1) {
        await log.append(user, renamedTimes(threadId, 1));
        await until(context, () => other.wakes.length === wake && seen.length === wake, `wake ${wake}`);
      }
      assert.deepEqual(seen, [1, undefined, 3]);
      assert.deepEqual(other.carried, [1, 2, 3]);
      assert.equal(context.logger.lines.filter(({ level }) => level === 'error').length, 1);
    },
  },
  {
    name: 'an append from within a wake is in order, and its wake comes after the one it was made in',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const trace: string[] = [];
      const appends: Promise<unknown>[] = [];
      log.subscribe(user, (batch) => {
        const { seq } = batch?.events.at(-1) ?? { seq: 0 };
        trace.push(`begin ${seq}`);
        if (seq < 4) appends.push(log.append(user, renamedTimes(threadId, 1)));
        trace.push(`end ${seq}`);
      });
      const other = recordWakes(log, user);
      await log.append(user, renamedTimes(threadId, 1));
      await until(context, () => trace.length === 8 && other.carried.length === 4, 'four wakes');
      await Promise.all(appends);
      assert.deepEqual(
        trace,
        [1, 2, 3, 4].flatMap((seq) => [`begin ${seq}`, `end ${seq}`]),
      );
      assert.deepEqual(other.carried, [1, 2, 3, 4]);
    },
  },
  {
    name: 'what was refused or repeated wakes nobody, and neither does a trim',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const producer = { id: 'cmd:1', attempt: 1, n: 1 };
      await log.append(user, renamedTimes(threadId, 2), { producer });
      await quiet(context);
      const { wakes } = recordWakes(log, user);
      await log.append(user, renamedTimes(threadId, 2), { producer });
      await assert.rejects(log.append(user, renamedTimes(threadId, 1), { producer: { ...producer, n: 3 } }));
      await log.trim(user, { before: 2 });
      await quiet(context);
      assert.deepEqual(wakes, []);
    },
  },
];

/** An event whose texts may be made only when they are asked for. */
function spelledOut({
  seq,
  id,
  type,
  class: kept,
  threadId,
  runId,
  json,
  bytes,
}: EncodedEvent): EncodedEvent {
  return { seq, id, type, class: kept, threadId, runId, json, bytes };
}

import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import type { EncodedEvent } from '../../contract.js';
import type { EventLogConformanceCase } from '../conformance-context.js';
import { renamed, renamedTimes } from './drafts.js';
import { eventsOf, originOf, pageOf, quiet, recordWakes, setScene, wordsOf } from './scene.js';

/** Pages. */
export const READ_CASES: readonly EventLogConformanceCase[] = [
  {
    name: 'a user without events has the epoch of the log, an empty stream and an empty page',
    async run(context) {
      const { log, user } = await setScene(context);
      const { epoch, ...rest } = await log.stream(user);
      assert.deepEqual(rest, { first: 1, head: 0, headId: null });
      const page = await pageOf(log, user);
      assert.deepEqual(page, { kind: 'page', events: [], at: { epoch, seq: 0 }, head: 0 });
    },
  },
  {
    name: 'a page holds at most as many events as asked for',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      await log.append(user, renamedTimes(threadId, 5));
      const page = await pageOf(log, user, { limitEvents: 3 });
      assert.deepEqual(wordsOf(page.events), ['1', '2', '3']);
      assert.equal(page.head, 5);
    },
  },
  {
    name: 'lines, where a page or a wake has them, are the JSON of its events',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const { wakes } = recordWakes(log, user);
      for (const count of [1, 3]) await log.append(user, renamedTimes(threadId, count));
      await quiet(context);
      const pages = [await pageOf(log, user, { limitEvents: 3 }), await pageOf(log, user)];
      for (const given of [...wakes, ...pages]) {
        if (given?.lines === undefined) continue;
        const lines = given.events.map(({ json }) => json).join('\n');
        assert.equal(Buffer.from(given.lines.bytes).toString(), lines);
        assert.deepEqual(
          given.lines.sizes,
          given.events.map(({ bytes }) => bytes),
        );
      }
    },
  },
  {
    name: 'a page holds at most as many bytes as asked for, to the byte',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      await log.append(user, renamedTimes(threadId, 5));
      const [first, second] = await eventsOf(log, user);
      const two = (first?.bytes ?? 0) + (second?.bytes ?? 0);
      assert.deepEqual(wordsOf((await pageOf(log, user, { limitBytes: two })).events), ['1', '2']);
      assert.deepEqual(wordsOf((await pageOf(log, user, { limitBytes: two - 1 })).events), ['1']);
    },
  },
  {
    name: 'a page holds one event when there is one, however small the limits',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      await log.append(user, renamedTimes(threadId, 2));
      for (const limits of [{ limitBytes: 1 }, { limitEvents: 0 }, { limitBytes: 0, limitEvents: 0 }]) {
        assert.deepEqual(wordsOf((await pageOf(log, user, limits)).events), ['1']);
      }
    },
  },
  {
    name: 'pages read one after the other hold every event once, in order, up to the head',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      for (let n = 1; n <= 23; n += 1) await log.append(user, [renamed(threadId, String(n))]);
      const read: EncodedEvent[] = [];
      let page = await pageOf(log, user, { limitEvents: 4 });
      while (page.events.length > 0) {
        read.push(...page.events);
        assert.deepEqual(page.at.seq, read.at(-1)?.seq);
        assert.deepEqual(page.at.id, read.at(-1)?.id);
        page = await pageOf(log, user, { limitEvents: 4, after: page.at });
      }
      assert.equal(page.at.seq, page.head);
      assert.deepEqual(
        wordsOf(read),
        Array.from({ length: 23 }, (_, index) => String(index + 1)),
      );
    },
  },
  {
    name: 'a cursor at the head gets an empty page and its own position, with the id',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const { epoch, lastId } = await log.append(user, renamedTimes(threadId, 2));
      for (const after of [
        { epoch, seq: 2, id: lastId },
        { epoch, seq: 2 },
      ]) {
        const page = await pageOf(log, user, { after });
        assert.deepEqual(page, { kind: 'page', events: [], at: { epoch, seq: 2, id: lastId }, head: 2 });
      }
    },
  },
  {
    name: 'events appended while nobody reads are read in order later, from any cursor',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const start = await originOf(log, user);
      await log.append(user, renamedTimes(threadId, 3));
      await context.clock.advance(3_600_000);
      await log.append(user, [renamed(threadId, '4')]);
      assert.deepEqual(wordsOf((await pageOf(log, user, { after: start })).events), ['1', '2', '3', '4']);
      const page = await pageOf(log, user, { after: { ...start, seq: 2 } });
      assert.deepEqual(wordsOf(page.events), ['3', '4']);
    },
  },
  {
    name: 'the same event is the same text, however often and in whatever page it is read',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      await log.append(user, renamedTimes(threadId, 3));
      const whole = await eventsOf(log, user);
      const { epoch } = await log.stream(user);
      const page = await pageOf(log, user, { after: { epoch, seq: 1 }, limitEvents: 1 });
      assert.equal(page.events[0]?.json, whole[1]?.json);
    },
  },
];

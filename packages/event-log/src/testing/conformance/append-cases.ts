import assert from 'node:assert/strict';
import type { EventDraft } from '@runwire/protocol';
import type { EventLogConformanceCase } from '../conformance-context.js';
import { completed, renamed, renamedTimes, started, thinking } from './drafts.js';
import { assertRefused, eventsOf, quiet, recordWakes, setScene, wordsOf } from './scene.js';

/** Order, atomicity, stamps. */
export const APPEND_CASES: readonly EventLogConformanceCase[] = [
  {
    name: 'an append gives its events consecutive seq from 1 on and settles to their positions',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const first = await log.append(user, renamedTimes(threadId, 3));
      const second = await log.append(user, [renamed(threadId, '4')]);
      const events = await eventsOf(log, user);
      const { epoch } = await log.stream(user);
      assert.deepEqual(first, { epoch, firstSeq: 1, lastSeq: 3, lastId: events[2]?.id, duplicate: false });
      assert.deepEqual(second, { epoch, firstSeq: 4, lastSeq: 4, lastId: events[3]?.id, duplicate: false });
      assert.deepEqual(
        events.map((event) => event.seq),
        [1, 2, 3, 4],
      );
      assert.equal(new Set(events.map((event) => event.id)).size, 4);
    },
  },
  {
    name: 'an event is read as it was appended, encoded, with its class and the count of its bytes',
    async run(context) {
      const { log, user, run } = await setScene(context);
      const draft = thinking(run, 'ünïcödé 🚀');
      await log.append(user, [draft]);
      const [event] = await eventsOf(log, user);
      assert(event);
      const { seq, id } = event;
      assert.deepEqual(JSON.parse(event.json), { ...draft, seq, id, at: context.clock.nowMs() });
      assert.equal(event.bytes, new TextEncoder().encode(event.json).length);
      assert.deepEqual(
        [event.type, event.class, event.threadId, event.runId],
        ['agent_thinking', 'durable', run.threadId, run.runId],
      );
    },
  },
  {
    name: 'appends of one user that are not awaited take effect in the order of the calls, each in one piece',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const sizes = [3, 1, 5, 2, 4, 1, 1, 7];
      const drafts = sizes.map((size, call) =>
        Array.from({ length: size }, (_, index) => renamed(threadId, `${call}.${index}`)),
      );
      const results = await Promise.all(drafts.map((batch) => log.append(user, batch)));
      const titles = drafts.flat().map(({ data }) => data.title);
      assert.deepEqual(wordsOf(await eventsOf(log, user)), titles);
      let next = 1;
      for (const [call, result] of results.entries()) {
        assert.equal(result.firstSeq, next);
        next += sizes[call] ?? 0;
        assert.equal(result.lastSeq, next - 1);
      }
    },
  },
  {
    name: 'each user has a stream of their own, in one epoch',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const other = context.newUser();
      await Promise.all([
        log.append(user, [renamed(threadId, 'mine')]),
        log.append(other, [renamed(threadId, 'theirs')]),
      ]);
      assert.deepEqual(wordsOf(await eventsOf(log, user)), ['mine']);
      assert.deepEqual(wordsOf(await eventsOf(log, other)), ['theirs']);
      assert.equal((await log.stream(user)).epoch, (await log.stream(other)).epoch);
    },
  },
  {
    name: 'an append with one draft that cannot be taken leaves no trace at all',
    async run(context) {
      const { log, user, run } = await setScene(context, { maxEventBytes: 1_000 });
      const { wakes } = recordWakes(log, user);
      const producer = { id: run.runId, attempt: 1, n: 1 };
      const drafts = [started(run), thinking(run, 'x'.repeat(1_000)), completed(run)];
      await assertRefused(() => log.append(user, drafts, { producer }), 'EVENT_TOO_LARGE');
      await quiet(context);
      assert.equal(wakes.length, 0);
      assert.equal((await log.stream(user)).head, 0);
      assert.deepEqual(await log.openRuns(), []);
      const { firstSeq } = await log.append(user, [started(run)], { producer });
      assert.equal(firstSeq, 1);
    },
  },
  {
    name: 'a draft that JSON cannot express is refused and leaves no trace',
    async run(context) {
      const { log, user, run } = await setScene(context);
      const data = { toolCallId: 'tcl_1', tool: 'count', input: 1n };
      const draft: EventDraft = { type: 'tool_executing', ...run, data };
      await assert.rejects(log.append(user, [thinking(run), draft]), { code: 'NOT_ENCODABLE' });
      assert.equal((await log.stream(user)).head, 0);
    },
  },
  {
    name: 'an append without drafts is refused',
    async run(context) {
      const { log, user } = await setScene(context);
      await assertRefused(() => log.append(user, []), 'EMPTY_APPEND');
    },
  },
  {
    name: "one user's failing append does not fail another's at the same time",
    async run(context) {
      const { log, user, threadId } = await setScene(context, { maxEventBytes: 1_000 });
      const other = context.newUser();
      const [bad, good, after] = await Promise.allSettled([
        log.append(user, [renamed(threadId, 'x'.repeat(1_000))]),
        log.append(other, [renamed(threadId, 'good')]),
        log.append(user, [renamed(threadId, 'after')]),
      ]);
      assert.deepEqual([bad.status, good.status, after.status], ['rejected', 'fulfilled', 'fulfilled']);
      assert.deepEqual(wordsOf(await eventsOf(log, other)), ['good']);
      assert.deepEqual(wordsOf(await eventsOf(log, user)), ['after']);
    },
  },
  {
    name: 'the time of events follows the wall clock and never decreases when it jumps back',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const startedAtMs = context.clock.nowMs();
      await log.append(user, [renamed(threadId, 'now')]);
      await context.clock.advance(1_000);
      await log.append(user, [renamed(threadId, 'later')]);
      context.clock.jumpWallClock(-600_000);
      await log.append(user, [renamed(threadId, 'after the jump')]);
      context.clock.jumpWallClock(1_200_000);
      await log.append(user, [renamed(threadId, 'ahead')]);
      const times = (await eventsOf(log, user)).map(({ json }) => (JSON.parse(json) as { at: number }).at);
      assert.deepEqual(
        times.map((at) => at - startedAtMs),
        [0, 1_000, 1_000, 601_000],
      );
    },
  },
];

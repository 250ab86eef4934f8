import assert from 'node:assert/strict';
import type { EventLogConformanceCase } from '../conformance-context.js';
import { renamed, renamedTimes } from './drafts.js';
import { eventsOf, pageOf, resetReasonOf, setScene, wordsOf } from './scene.js';

/** Which cursors are honoured (protocol §5). */
export const CURSOR_CASES: readonly EventLogConformanceCase[] = [
  {
    name: 'a cursor of another epoch, or that does not parse, is reset with epoch',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const { epoch } = await log.append(user, renamedTimes(threadId, 3));
      assert.equal(await resetReasonOf(log, user, { epoch: `${epoch}x`, seq: 1 }), 'epoch');
      assert.equal(await resetReasonOf(log, user, { epoch: '', seq: 99 }), 'epoch');
      for (const seq of [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY]) {
        assert.equal(await resetReasonOf(log, user, { epoch, seq }), 'epoch', `seq ${seq}`);
      }
    },
  },
  {
    name: 'two logs have two epochs',
    async run(context) {
      const { log, user } = await setScene(context);
      const other = await context.openLog();
      const { epoch } = await other.stream(user);
      assert.equal(await resetReasonOf(log, user, { epoch, seq: 0 }), 'epoch');
    },
  },
  {
    name: 'a cursor above the head is reset with ahead',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const { epoch } = await log.stream(user);
      assert.equal(await resetReasonOf(log, user, { epoch, seq: 1 }), 'ahead');
      await log.append(user, renamedTimes(threadId, 3));
      assert.equal(await resetReasonOf(log, user, { epoch, seq: 3 }), undefined);
      assert.equal(await resetReasonOf(log, user, { epoch, seq: 4, id: 'evt_x' }), 'ahead');
    },
  },
  {
    name: 'a cursor below the events that are kept is reset with trimmed, the one just before them is honoured',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const { epoch } = await log.append(user, renamedTimes(threadId, 5));
      await log.trim(user, { before: 4 });
      assert.equal(await resetReasonOf(log, user, { epoch, seq: 0 }), 'trimmed');
      assert.equal(await resetReasonOf(log, user, { epoch, seq: 2, id: 'evt_x' }), 'trimmed');
      const page = await pageOf(log, user, { after: { epoch, seq: 3 } });
      assert.deepEqual(wordsOf(page.events), ['4', '5']);
    },
  },
  {
    name: 'a cursor whose id is not that of its event is reset with fork, also just before the first event',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const { epoch } = await log.append(user, renamedTimes(threadId, 5));
      const ids = (await eventsOf(log, user)).map((event) => event.id);
      for (const seq of [1, 2, 3, 4, 5]) {
        const own = ids[seq - 1] ?? '';
        assert.equal(await resetReasonOf(log, user, { epoch, seq, id: own }), undefined);
        assert.equal(await resetReasonOf(log, user, { epoch, seq, id: ids[seq % 5] ?? '' }), 'fork');
      }
      await log.trim(user, { before: 3 });
      assert.equal(await resetReasonOf(log, user, { epoch, seq: 2, id: ids[1] ?? '' }), undefined);
      assert.equal(await resetReasonOf(log, user, { epoch, seq: 2, id: ids[0] ?? '' }), 'fork');
    },
  },
  {
    name: 'a cursor is still checked by its id when every event is trimmed',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const { epoch, lastId } = await log.append(user, renamedTimes(threadId, 2));
      await log.trim(user, { before: 3 });
      assert.equal(await resetReasonOf(log, user, { epoch, seq: 2, id: lastId }), undefined);
      assert.equal(await resetReasonOf(log, user, { epoch, seq: 2, id: 'evt_x' }), 'fork');
      assert.equal(await resetReasonOf(log, user, { epoch, seq: 1 }), 'trimmed');
    },
  },
  {
    name: 'a reset says where the stream stands',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      await log.append(user, renamedTimes(threadId, 3));
      await log.trim(user, { before: 2 });
      const stream = await log.stream(user);
      const after = { epoch: 'another', seq: 0 };
      const result = await log.read(user, { after, limitEvents: 1, limitBytes: 1 });
      assert.deepEqual(result, { kind: 'reset', reason: 'epoch', stream });
    },
  },
  {
    name: "another user's cursor gets a reset or own events, never theirs",
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const other = context.newUser();
      const { epoch, lastId } = await log.append(other, renamedTimes(threadId, 3));
      assert.equal(await resetReasonOf(log, user, { epoch, seq: 3, id: lastId }), 'ahead');
      await log.append(
        user,
        [1, 2, 3, 4].map((n) => renamed(threadId, `mine ${n}`)),
      );
      assert.equal(await resetReasonOf(log, user, { epoch, seq: 3, id: lastId }), 'fork');
      const page = await pageOf(log, user, { after: { epoch, seq: 3 } });
      assert.deepEqual(wordsOf(page.events), ['mine 4']);
    },
  },
];

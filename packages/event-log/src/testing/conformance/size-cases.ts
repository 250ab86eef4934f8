import assert from 'node:assert/strict';
import type { ThreadId, UserId } from '@runwire/id-generation';
import type { EventLog } from '../../contract.js';
import type { EventLogConformanceCase } from '../conformance-context.js';
import { renamed } from './drafts.js';
import { assertRefused, eventsOf, setScene } from './scene.js';

const MAX_BYTES = 1_000;

/** The limit counts bytes of the encoded event. */
export const SIZE_CASES: readonly EventLogConformanceCase[] = [
  {
    name: 'an encoded event of exactly the limit is taken, one byte more is refused',
    async run(context) {
      const { log, user, threadId } = await setScene(context, { maxEventBytes: MAX_BYTES });
      const room = await roomForTitle(log, user, threadId);
      await log.append(user, [renamed(threadId, 'x'.repeat(room))]);
      assert.equal((await eventsOf(log, user)).at(-1)?.bytes, MAX_BYTES);
      const larger = [renamed(threadId, 'x'.repeat(room + 1))];
      await assertRefused(() => log.append(user, larger), 'EVENT_TOO_LARGE');
    },
  },
  {
    name: 'bytes are counted, not characters',
    async run(context) {
      const { log, user, threadId } = await setScene(context, { maxEventBytes: MAX_BYTES });
      const room = await roomForTitle(log, user, threadId);
      const full = '€'.repeat(Math.floor(room / 3)) + 'x'.repeat(room % 3);
      await log.append(user, [renamed(threadId, full)]);
      assert.equal((await eventsOf(log, user)).at(-1)?.bytes, MAX_BYTES);
      await assertRefused(() => log.append(user, [renamed(threadId, `${full}x`)]), 'EVENT_TOO_LARGE');
    },
  },
  {
    name: 'by default an event of 256 KiB is taken and one byte more is refused',
    async run(context) {
      const { log, user, threadId } = await setScene(context);
      const room = (await roomForTitle(log, user, threadId)) + 256 * 1_024 - MAX_BYTES;
      await assertRefused(
        () => log.append(user, [renamed(threadId, 'x'.repeat(room + 1))]),
        'EVENT_TOO_LARGE',
      );
      await log.append(user, [renamed(threadId, 'x'.repeat(room))]);
      assert.equal((await eventsOf(log, user)).at(-1)?.bytes, 256 * 1_024);
    },
  },
];

/** How many bytes of title an event of `MAX_BYTES` holds, measured on the first event. */
async function roomForTitle(log: EventLog, user: UserId, threadId: ThreadId): Promise<number> {
  await log.append(user, [renamed(threadId, '')]);
  const [event] = await eventsOf(log, user);
  return MAX_BYTES - (event?.bytes ?? 0);
}

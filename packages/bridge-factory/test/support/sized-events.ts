import type { ThreadId } from '@runwire/id-generation';
import type { EventDraft } from '@runwire/protocol';
import { encodeEvent } from '@runwire/protocol';

/** Every id of the test's generator is as long. */
const EVENT_ID = `evt_${'0'.repeat(22)}`;

/** Drafts that are durable and encode to exactly `bytes` each, when the log puts them from `firstSeq` on. */
export function sizedDrafts(
  threadId: ThreadId,
  events: { readonly count: number; readonly bytes: number; readonly firstSeq?: number },
): readonly EventDraft[] {
  const { count, bytes, firstSeq = 1 } = events;
  return Array.from({ length: count }, (_, index) => {
    const draft = (title: string) => ({ type: 'thread_updated', threadId, data: { title } }) as const;
    const at = Date.UTC(2026, 0, 1);
    const empty = encodeEvent(draft(''), { seq: firstSeq + index, id: EVENT_ID, at });
    return draft('x'.repeat(bytes - empty.length));
  });
}

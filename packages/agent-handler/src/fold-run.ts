import type { EventLog, OpenRun } from '@runwire/event-log';
import { applyRunEvent, type Cursor, LIMITS, type RunView, type RunwireEvent } from '@runwire/protocol';

/** What the log has of an open run, up to its head; undefined when it has nothing, or nothing any more. */
export async function foldRun(
  log: Pick<EventLog, 'read' | 'stream'>,
  { userId, runId }: Pick<OpenRun, 'userId' | 'runId'>,
  { firstSeq }: Pick<OpenRun, 'firstSeq'>,
): Promise<RunView | undefined> {
  const { epoch, head } = await log.stream(userId);
  let after: Cursor = { epoch, seq: firstSeq - 1 };
  let view: RunView | undefined;
  while (after.seq < head) {
    const page = await log.read(userId, {
      after,
      limitEvents: LIMITS.maxPageEvents,
      limitBytes: LIMITS.maxPageBytes,
    });
    if (page.kind === 'reset' || page.events.length === 0) break;
    for (const event of page.events) {
      if (event.runId === runId) view = applyRunEvent(view, JSON.parse(event.json) as RunwireEvent);
    }
    after = page.at;
  }
  return view;
}

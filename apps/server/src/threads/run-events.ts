import type { RunRecord } from '@runwire/agent-handler';
import type { EventLog, ReadResult } from '@runwire/event-log';
import { type Cursor, LIMITS, type RunwireEvent } from '@runwire/protocol';
import type { RunPosition } from '../persistence/run-positions.js';

/** Which page of a run's events. */
export interface EventPageRequest {
  readonly limit: number;
  /** The last `seq` of the page before; 0 for the first page. */
  readonly after: number;
}

/** A page of a run's events, in order. */
export interface EventPage {
  readonly items: readonly RunwireEvent[];
  /** What to pass as `after` for the next page; null on the last one. */
  readonly after: number | null;
}

/** JSON of one page, from which on the rest is left to the next; one event may be larger. */
const MAX_EVENT_PAGE_BYTES = 1_048_576;

/**
 * Reads a page of a run's events, from where the run began to where it ended. Without a recorded position it is
 * looked for in the whole stream. Empty when the log that had them is lost.
 */
export async function readRunEvents(
  log: EventLog,
  what: { readonly run: RunRecord; readonly position: RunPosition | undefined },
  request: EventPageRequest,
): Promise<EventPage> {
  const { run, position } = what;
  const { epoch, first, head } = await log.stream(run.userId);
  if (position !== undefined && position.epoch !== epoch) return { items: [], after: null };
  const from = Math.max(first, position?.firstSeq ?? 0, request.after + 1);
  const until = Math.min(head, position?.lastSeq ?? head);
  const items: RunwireEvent[] = [];
  let bytes = 0;
  for await (const read of runEvents(log, run, { after: { epoch, seq: from - 1 }, until })) {
    bytes += read.bytes;
    const isFull = items.length === request.limit || (items.length > 0 && bytes > MAX_EVENT_PAGE_BYTES);
    if (isFull) return { items, after: items.at(-1)?.seq ?? null };
    items.push(read.event);
  }
  return { items, after: null };
}

/** The events of a run in the log, in order, behind `after`, up to and with `until`. */
export async function* runEvents(
  log: Pick<EventLog, 'read'>,
  run: Pick<RunRecord, 'userId' | 'runId'>,
  range: { readonly after: Cursor; readonly until: number },
): AsyncGenerator<{ readonly event: RunwireEvent; readonly bytes: number }> {
  let { after } = range;
  while (after.seq < range.until) {
    const page: ReadResult = await log.read(run.userId, {
      after,
      limitEvents: Math.min(LIMITS.maxPageEvents, range.until - after.seq),
      limitBytes: LIMITS.maxPageBytes,
    });
    if (page.kind === 'reset' || page.events.length === 0) return;
    for (const { runId, json, bytes } of page.events) {
      if (runId === run.runId) yield { event: JSON.parse(json) as RunwireEvent, bytes };
    }
    after = page.at;
  }
}

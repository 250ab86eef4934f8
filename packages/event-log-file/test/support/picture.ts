import type { EncodedEvent, EventLog, OpenRun } from '@runwire/event-log';
import type { UserId } from '@runwire/id-generation';

/** A user's stream as a reader sees it. */
export interface StreamView {
  readonly first: number;
  readonly head: number;
  /** All that can be read. */
  readonly events: readonly EncodedEvent[];
  /** In the order of their ids. */
  readonly openRuns: readonly OpenRun[];
}

/** All that can be seen of one user's stream. */
export interface StreamPicture {
  readonly first: number;
  readonly head: number;
  /** Their JSON without the id, which no two logs share. */
  readonly events: readonly string[];
  readonly openRuns: readonly unknown[];
}

/** All that can be seen of a log. Fails when the log contradicts itself. */
export async function pictureOf(log: EventLog, users: readonly UserId[]): Promise<readonly StreamPicture[]> {
  return await Promise.all(
    users.map(async (user) => {
      const { events, ...stream } = await viewOf(log, user);
      return { ...stream, events: events.map(({ json }) => json.replace(/"id":"[^"]*",/, '')) };
    }),
  );
}

/** Reads a user's whole stream in small pages. Fails when the log contradicts itself. */
export async function viewOf(log: EventLog, user: UserId): Promise<StreamView> {
  const { epoch, first, head, headId } = await log.stream(user);
  const events: EncodedEvent[] = [];
  for (let seq = first - 1; seq < head; ) {
    const page = await log.read(user, { after: { epoch, seq }, limitEvents: 7, limitBytes: 900 });
    if (page.kind === 'reset') throw new Error(`reset: ${page.reason} at ${seq} of ${first}–${head}`);
    for (const event of page.events) {
      if (event.seq !== seq + 1) throw new Error(`${event.seq} follows ${seq}`);
      seq = event.seq;
      if (seq === head && event.id !== headId) throw new Error(`${event.id} is not the head's id ${headId}`);
      events.push(event);
    }
    if (page.events.length === 0) throw new Error(`nothing after ${seq} of ${first}–${head}`);
  }
  const openRuns = await log.openRuns(user);
  return { first, head, events, openRuns: [...openRuns].sort((a, b) => (a.runId < b.runId ? -1 : 1)) };
}

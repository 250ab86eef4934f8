import type { EventLog } from '@runwire/event-log';
import type { UserId } from '@runwire/id-generation';

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
  return await Promise.all(users.map((user) => streamPicture(log, user)));
}

async function streamPicture(log: EventLog, user: UserId): Promise<StreamPicture> {
  const { epoch, first, head, headId } = await log.stream(user);
  const events: string[] = [];
  for (let seq = first - 1; seq < head; ) {
    const page = await log.read(user, { after: { epoch, seq }, limitEvents: 7, limitBytes: 900 });
    if (page.kind === 'reset') throw new Error(`reset: ${page.reason} at ${seq} of ${first}–${head}`);
    for (const event of page.events) {
      if (event.seq !== seq + 1) throw new Error(`${event.seq} follows ${seq}`);
      seq = event.seq;
      if (seq === head && event.id !== headId) throw new Error(`${event.id} is not the head's id ${headId}`);
      events.push(event.json.replace(/"id":"[^"]*",/, ''));
    }
    if (page.events.length === 0) throw new Error(`nothing after ${seq} of ${first}–${head}`);
  }
  const openRuns = await log.openRuns(user);
  return { first, head, events, openRuns: [...openRuns].sort((a, b) => (a.runId < b.runId ? -1 : 1)) };
}

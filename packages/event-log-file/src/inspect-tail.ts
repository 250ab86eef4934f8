import type { EncodedEvent } from '@runwire/event-log';
import type { OpenedLog } from './read-log.js';
import { DamagedRecord, RecordReader } from './record-reader.js';
import type { UserLog } from './user-log.js';

/** An event and the user it is for. */
export interface TailedEvent {
  readonly userId: string;
  readonly event: Pick<EncodedEvent, 'seq' | 'json'>;
}

/** A record with some of the last events, and the last `seq` before those. */
interface Candidate {
  readonly user: UserLog;
  readonly segment: number;
  readonly offset: number;
  readonly after: number;
  readonly lastSeq: number;
}

/** Candidates beyond what can be among the last are dropped in steps of so many. */
const SLACK = 1_024;

/** The last `count` events that can be read, of these users, in the order of the log. */
export function lastEvents(log: OpenedLog, users: Iterable<UserLog>, count: number): readonly TailedEvent[] {
  let candidates: Candidate[] = [];
  for (const user of users) {
    candidates.push(...candidatesOf(user, count));
    if (candidates.length > count + SLACK) candidates = newest(candidates, count);
  }
  const reader = new RecordReader(log.segments);
  const events = newest(candidates, count).flatMap((candidate) => read(candidate, reader));
  return count === 0 ? [] : events.slice(-count);
}

function candidatesOf(user: UserLog, count: number): readonly Candidate[] {
  const candidates: Candidate[] = [];
  let missing = count;
  for (let position = user.recordCount - 1; position >= 0 && missing > 0; position -= 1) {
    const record = user.record(position);
    if (record === undefined) break;
    const before = user.record(position - 1)?.lastSeq ?? 0;
    const { segment, offset, lastSeq } = record;
    const after = Math.max(before, user.first - 1, lastSeq - missing);
    candidates.push({ user, segment, offset, after, lastSeq });
    missing -= lastSeq - after;
  }
  return candidates;
}

function newest(candidates: readonly Candidate[], count: number): Candidate[] {
  const sorted = candidates.toSorted((a, b) => a.segment - b.segment || a.offset - b.offset);
  return count === 0 ? [] : sorted.slice(-count);
}

/** None for a record that cannot be read: that is for `verify` to report. */
function read({ user, after, lastSeq }: Candidate, reader: RecordReader): readonly TailedEvent[] {
  const limits = { limitEvents: lastSeq - after, limitBytes: Number.POSITIVE_INFINITY };
  try {
    return reader.page(user, after, limits).events.map((event) => ({ userId: user.userId, event }));
  } catch (cause) {
    if (cause instanceof DamagedRecord) return [];
    throw cause;
  }
}

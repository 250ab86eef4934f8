import type { Clock, Logger } from '@runwire/kernel';
import { DamageList } from './damage-list.js';
import type { LogDisk } from './disk.js';
import { type FoundLog, type FoundSegment, recordRange } from './open-segments.js';
import { Replay, type ReplayDeps } from './replay.js';
import { segmentName } from './segment-format.js';
import { newSegment, type Segment, Segments } from './segments.js';
import type { UserLog } from './user-log.js';
import { Users } from './users.js';

/** A log as it was found. */
export interface OpenedLog {
  readonly segments: Segments;
  readonly users: Users;
  readonly damage: DamageList;
  /** Bytes of an unfinished write: behind the end of the newest segment, or of one that was only just begun. */
  readonly tornBytes: number;
  /** The highest `at` of any record. */
  readonly lastAt: number;
  /** Users whose last events were lost. */
  readonly shortened: ReadonlySet<UserLog>;
}

/** What reading a log needs. */
export interface ReadLogDeps extends Pick<ReplayDeps, 'onRecord'> {
  readonly disk: LogDisk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Asked for when no header tells the epoch. */
  readonly newEpoch: () => string;
}

/** Reads the segments that were found. Changes nothing on the disk. */
export function readLog(found: FoundLog, deps: ReadLogDeps): OpenedLog {
  const epoch = found.segments.find(({ header }) => header !== undefined)?.header?.epoch ?? deps.newEpoch();
  const segments = new Segments(deps.disk, epoch);
  const users = new Users((number, bytes) => segments.release(number, bytes));
  const damage = new DamageList(deps.logger);
  const replay = new Replay({ ...deps, epoch, users, onDamage: (place) => damage.add(place) });
  let tornBytes = 0;
  found.segments.forEach((one, index) => {
    const next = found.segments[index + 1];
    const segment = adopted(one, { isNewest: next === undefined, before: segments.active });
    segments.adopt(segment);
    tornBytes = readSegment({ one, next, segment }, replay, damage);
  });
  replay.finish();
  tornBytes += found.begunBytes;
  return { segments, users, damage, tornBytes, lastAt: replay.lastAt, shortened: replay.shortened };
}

function adopted(
  { number, file, header }: FoundSegment,
  place: { readonly isNewest: boolean; readonly before: Segment | undefined },
): Segment {
  const { before, isNewest } = place;
  const knownEnd = before?.through === number - 1 ? before.end : 0;
  return {
    ...newSegment({
      number,
      through: header?.through ?? number,
      previousEnd: header?.previousEnd ?? knownEnd,
      headerBytes: header?.length ?? 0,
      file,
    }),
    // Nothing is appended behind a header that cannot be read, or is not asked where the segment ends.
    isSealed: !isNewest || header === undefined || header.isRewritten,
    isDamaged: header === undefined,
  };
}

interface SegmentToRead {
  readonly one: FoundSegment;
  readonly next: FoundSegment | undefined;
  readonly segment: Segment;
}

/** Returns the bytes of an unfinished write at its end. What looks like one anywhere but there is damage. */
function readSegment({ one, next, segment }: SegmentToRead, replay: Replay, damage: DamageList): number {
  const range = recordRange(one, next);
  const unfinished = replay.take(segment, range);
  const isTorn = next === undefined && one.header !== undefined;
  const lost = (offset: number, bytes: number, reason: string): void => {
    segment.isDamaged = true;
    damage.add({ segment: segmentName(one.number), offset, bytes, reason });
  };
  segment.end = range.to;
  if (one.size === 0) lost(0, 0, 'The file is empty.');
  if (range.missingBytes > 0) lost(range.to, range.missingBytes, 'The end of the file is missing.');
  if (unfinished === undefined) return 0;
  if (!isTorn) {
    lost(unfinished.offset, unfinished.bytes, 'The last record is not whole.');
    return 0;
  }
  segment.end = unfinished.offset;
  return unfinished.bytes;
}

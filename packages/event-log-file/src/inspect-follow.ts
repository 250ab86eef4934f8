import type { EncodedEvent } from '@runwire/event-log';
import type { LogDisk } from './disk.js';
import { isUnreadable } from './errors.js';
import { closeSnapshot, openSnapshot } from './inspect-disk.js';
import type { TailedEvent } from './inspect-tail.js';
import { type FoundSegment, recordRange } from './open-segments.js';
import type { OpenedLog } from './read-log.js';
import { RECORD_KIND } from './record-format.js';
import { isBad, payloadOf, type ScannedRecord, SegmentScan, userOf } from './segment-scan.js';
import { decodeEvents } from './stored-event.js';

/** Up to where the log was read. */
interface Mark {
  readonly number: number;
  /** What its header said of compaction then. */
  readonly isRewritten: boolean;
  readonly through: number;
  readonly position: number;
}

const START: Mark = { number: 0, isRewritten: false, through: 0, position: 0 };

/**
 * Finds what a writer has appended since the last look. It reads on where it was; when compaction has written
 * that segment anew, it reads everything again, and each user's head tells what was seen before.
 */
export class LogFollower {
  readonly #disk: LogDisk;
  readonly #path: string;
  readonly #heads = new Map<string, number>();
  #mark: Mark = START;

  /** Follows on behind what `opened` has. */
  constructor(disk: LogDisk, path: string, opened: OpenedLog) {
    this.#disk = disk;
    this.#path = path;
    for (const user of opened.users.all()) this.#heads.set(user.userId, user.head);
    const { active } = opened.segments;
    if (active === undefined) return;
    const { number, through, end } = active;
    this.#mark = { number, isRewritten: through > number, through, position: end };
  }

  /** The events since. @throws FileLogError when the log is not there any more */
  poll(): readonly TailedEvent[] {
    const found = openSnapshot(this.#disk, this.#path);
    try {
      const current = found.segments.find(({ number }) => number === this.#mark.number);
      const isSame = current !== undefined && this.#isSame(current);
      if (!isSame) this.#mark = START;
      return found.segments.flatMap((segment, index) =>
        segment.number < this.#mark.number ? [] : this.#read(segment, found.segments[index + 1]),
      );
    } finally {
      closeSnapshot(found);
    }
  }

  #isSame({ number, header, size }: FoundSegment): boolean {
    const { isRewritten, through, position } = this.#mark;
    const isUntouched =
      (header?.isRewritten ?? false) === isRewritten && (header?.through ?? number) === through;
    return isUntouched && size >= position;
  }

  #read(segment: FoundSegment, next: FoundSegment | undefined): readonly TailedEvent[] {
    const { number, header } = segment;
    const { from, to } = recordRange(segment, next);
    const start = number === this.#mark.number ? Math.max(from, this.#mark.position) : from;
    const events: TailedEvent[] = [];
    const scan = new SegmentScan(segment.file, { from: start, to });
    let position = start;
    for (let met = scan.next(); met !== undefined; met = scan.next()) {
      // What is being written right now is whole the next time.
      if (isBad(met) && met.kind === 'unfinished') break;
      if (isBad(met)) position = met.offset + met.bytes;
      else {
        position = met.offset + met.head.length;
        events.push(...this.#take(met));
      }
    }
    const through = header?.through ?? number;
    this.#mark = { number, isRewritten: header?.isRewritten ?? false, through, position };
    return events;
  }

  #take(record: ScannedRecord): readonly TailedEvent[] {
    const { kind, firstSeq, count } = record.head;
    const userId = userOf(record);
    const head = this.#heads.get(userId) ?? 0;
    const lastSeq = firstSeq + count - 1;
    if (kind !== RECORD_KIND.events || lastSeq <= head) return [];
    this.#heads.set(userId, lastSeq);
    const events = eventsOf(record).filter(({ seq }) => seq > head);
    return events.map((event) => ({ userId, event }));
  }
}

/** None for a record that cannot be understood: that is for `verify` to report. */
function eventsOf(record: ScannedRecord): readonly EncodedEvent[] {
  const { from, to } = payloadOf(record);
  try {
    return decodeEvents(record.source, from, to);
  } catch (cause) {
    if (isUnreadable(cause)) return [];
    throw cause;
  }
}

import { RECORD_KIND } from './record-format.js';
import { payloadOf, type ScannedRecord, userOf } from './segment-scan.js';
import { parseState } from './state-record.js';

/** Events that ought to be in the log and are not. */
export interface MissingEvents {
  readonly userId: string;
  /** `seq` of the first and of the last of them. */
  readonly from: number;
  readonly to: number;
  /** Name of the segment, and offset in it, of the record that shows it: the one that comes next. */
  readonly segment: string;
  readonly offset: number;
}

interface Stream {
  /** Last `seq` met. */
  head: number;
  /** What lies below was given up, and may be missing. */
  first: number;
  gaps: readonly MissingEvents[];
}

/**
 * Whether each user's events follow each other. Compaction leaves gaps, and a state record says of each that
 * the user's `first` lies behind it; which may stand anywhere in the log, so that gaps are judged at the end.
 */
export class Continuity {
  readonly #streams = new Map<string, Stream>();

  /** To be shown every record, in order. */
  take(record: ScannedRecord, segment: string): void {
    const userId = userOf(record);
    const { kind, firstSeq, count } = record.head;
    const stream = this.#open(userId);
    const place = { userId, segment, offset: record.offset };
    if (kind === RECORD_KIND.events && count > 0 && firstSeq > stream.head) {
      this.#goOn(stream, { ...place, from: stream.head + 1, to: firstSeq - 1 });
      stream.head = firstSeq + count - 1;
    } else if (kind === RECORD_KIND.state) {
      const { from, to } = payloadOf(record);
      stream.first = Math.max(stream.first, parseState(record.source.toString('utf8', from, to)).first);
      this.#goOn(stream, { ...place, from: stream.head + 1, to: firstSeq });
      stream.head = Math.max(stream.head, firstSeq);
    }
  }

  /** What is missing, by user. */
  missing(): readonly MissingEvents[] {
    return [...this.#streams.values()].flatMap(({ gaps, first }) =>
      gaps.filter(({ to }) => to >= first).map((gap) => ({ ...gap, from: Math.max(gap.from, first) })),
    );
  }

  #open(userId: string): Stream {
    const known = this.#streams.get(userId);
    if (known !== undefined) return known;
    const stream: Stream = { head: 0, first: 1, gaps: [] };
    this.#streams.set(userId, stream);
    return stream;
  }

  #goOn(stream: Stream, gap: MissingEvents): void {
    if (gap.from <= gap.to) stream.gaps = [...stream.gaps, gap];
  }
}

import { IndexChunk } from './index-chunk.js';

/** Where one record of a user's events is. */
export interface RecordLocation {
  /** `seq` of its last event. */
  readonly lastSeq: number;
  /** When it was appended, epoch milliseconds. */
  readonly at: number;
  /** Number of its segment. */
  readonly segment: number;
  readonly offset: number;
  /** Bytes of the whole record. */
  readonly length: number;
}

/** Most users never have more than one chunk. */
const NONE: readonly IndexChunk[] = Object.freeze([]);

/**
 * The records of one user in the order of their `seq`: 20 bytes each, found by binary search, dropped from the
 * front. The events themselves stay on the disk.
 */
export class RecordIndex {
  /** Those before the last, in order. None is empty. */
  #full = NONE;
  #fullBytes = 0;
  #last: IndexChunk | undefined;

  get count(): number {
    return (this.#last?.endOrdinal ?? 0) - this.#dropped;
  }

  /** What the index takes in memory. */
  get sizeBytes(): number {
    return this.#fullBytes + (this.#last?.sizeBytes ?? 0);
  }

  /** When the first record was appended; undefined without one. */
  get firstAt(): number | undefined {
    return this.count === 0 ? undefined : (this.#full[0] ?? this.#last)?.firstAt;
  }

  /** The `position`th record from the front. */
  at(position: number): RecordLocation | undefined {
    if (position < 0 || position >= this.count) return undefined;
    const ordinal = this.#dropped + position;
    return this.#search((chunk) => chunk.endOrdinal <= ordinal)?.at(ordinal);
  }

  /** Returns how many bytes of memory the index takes more. */
  push(record: RecordLocation): number {
    const last = this.#last;
    if (last?.takes(record) === true) return last.push(record);
    const before = this.sizeBytes;
    if (last !== undefined && last.count > 0) {
      this.#full = [...this.#full, last];
      this.#fullBytes += last.sizeBytes;
    }
    this.#last = new IndexChunk(record, last?.endOrdinal ?? 0);
    this.#last.push(record);
    return this.sizeBytes - before;
  }

  /** Position of the record with the event at `seq`; `count` when all records end before it. */
  find(seq: number): number {
    return (this.#search((chunk) => chunk.lastSeq < seq)?.find(seq) ?? 0) - this.#dropped;
  }

  /** Says where a record is now, by its last `seq`. False when it is no longer here. */
  move(record: RecordLocation): boolean {
    return this.#search((chunk) => chunk.lastSeq < record.lastSeq)?.move(record) ?? false;
  }

  dropFirst(): void {
    if (this.count === 0) return;
    const [first] = this.#full;
    if (first === undefined) {
      this.#last?.dropFirst();
      return;
    }
    this.#fullBytes -= first.sizeBytes;
    first.dropFirst();
    if (first.count > 0) this.#fullBytes += first.sizeBytes;
    else this.#full = this.#full.slice(1);
  }

  /** How many were dropped so far: a record's position is its ordinal without these. */
  get #dropped(): number {
    return (this.#full[0] ?? this.#last)?.startOrdinal ?? 0;
  }

  /** The first chunk that is not `before` what is sought, which those at the front are; the last when all are. */
  #search(isBefore: (chunk: IndexChunk) => boolean): IndexChunk | undefined {
    let low = 0;
    let high = this.#full.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.#full[middle];
      if (chunk !== undefined && isBefore(chunk)) low = middle + 1;
      else high = middle;
    }
    return this.#full[low] ?? this.#last;
  }
}

import { Buffer } from 'node:buffer';
import type { LogFile } from './disk.js';
import {
  claimedHead,
  claimedLength,
  decodeRecordHead,
  RECORD_FIXED_BYTES,
  RECORD_MAGIC,
  type RecordHead,
} from './record-format.js';

/** A record as a scan meets it. The bytes are valid only until the scan goes on. */
export interface ScannedRecord {
  readonly head: RecordHead;
  /** In the file. */
  readonly offset: number;
  readonly source: Buffer;
  /** Of the record in `source`. */
  readonly start: number;
}

/** Bytes of a segment that are no valid records. */
export interface BadBytes {
  readonly offset: number;
  readonly bytes: number;
  /**
   * What they may be. `unfinished`: at the end, the beginning of a record whose rest was never written, or
   * zeros. `damaged`: anything else.
   */
  readonly kind: 'unfinished' | 'damaged';
  /** What they say they are, if they are the length of one record: to be doubted. */
  readonly claim: RecordClaim | undefined;
}

/** What a damaged record seems to have held. */
export interface RecordClaim {
  readonly userId: string;
  readonly kind: number;
  readonly firstSeq: number;
  readonly count: number;
  /** Of its payload. */
  readonly lines: number;
}

/** Whether a scan met bytes that are no record. */
export function isBad(met: ScannedRecord | BadBytes): met is BadBytes {
  return 'claim' in met;
}

/** The user of a scanned record. */
export function userOf({ source, start, head }: Omit<ScannedRecord, 'offset'>): string {
  const from = start + RECORD_FIXED_BYTES;
  return source.toString('utf8', from, from + head.userBytes);
}

/** The producer of a scanned record; undefined without one. */
export function producerOf({ source, start, head }: ScannedRecord): string | undefined {
  if (head.producerBytes === 0) return undefined;
  const from = start + RECORD_FIXED_BYTES + head.userBytes;
  return source.toString('utf8', from, from + head.producerBytes);
}

/** Where the payload of a scanned record stands in its `source`. */
export function payloadOf({ start, head }: Omit<ScannedRecord, 'offset'>): {
  readonly from: number;
  readonly to: number;
} {
  return {
    from: start + RECORD_FIXED_BYTES + head.userBytes + head.producerBytes,
    to: start + head.length,
  };
}

const WINDOW_BYTES = 1_048_576;
const NEW_LINE = 10;

/** Goes over the records of a segment between two offsets, in order; checks each and reports what is none. */
export class SegmentScan {
  readonly #file: LogFile;
  readonly #end: number;
  #window = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  #windowAt = 0;
  #windowBytes = 0;
  #position: number;

  constructor(file: LogFile, range: { readonly from: number; readonly to: number }) {
    this.#file = file;
    this.#position = range.from;
    this.#end = range.to;
  }

  /** The next record, or the bad bytes before it; undefined at the end. */
  next(): ScannedRecord | BadBytes | undefined {
    const offset = this.#position;
    if (offset >= this.#end) return undefined;
    const record = this.#recordAt(offset);
    if (record !== undefined) {
      this.#position = offset + record.head.length;
      return record;
    }
    const claim = this.#claimAt(offset);
    const kind = this.#isUnfinished(offset) ? 'unfinished' : 'damaged';
    const following = this.#searchRecord(offset + 1);
    this.#position = following ?? this.#end;
    return {
      offset,
      bytes: this.#position - offset,
      kind: following === undefined ? kind : 'damaged',
      claim: claim?.end === this.#position ? claim : undefined,
    };
  }

  #recordAt(offset: number): ScannedRecord | undefined {
    const start = this.#holdClaimed(offset);
    if (start === undefined) return undefined;
    const head = decodeRecordHead(this.#window, start, this.#windowBytes);
    return head && { head, offset, source: this.#window, start };
  }

  #claimAt(offset: number): (RecordClaim & { readonly end: number }) | undefined {
    const start = this.#holdClaimed(offset);
    const head = start === undefined ? undefined : claimedHead(this.#window, start, this.#windowBytes);
    if (start === undefined || head === undefined) return undefined;
    const record = { head, source: this.#window, start };
    const { from, to } = payloadOf(record);
    let lines = 1;
    for (let at = from; at < to; at += 1) if (this.#window[at] === NEW_LINE) lines += 1;
    const { kind, firstSeq, count, length } = head;
    return { userId: userOf(record), kind, firstSeq, count, lines, end: offset + length };
  }

  /** Makes the bytes stand in the window that a record at `offset` says it has; undefined when there are fewer. */
  #holdClaimed(offset: number): number | undefined {
    const start = this.#hold(offset, RECORD_FIXED_BYTES);
    if (start === undefined) return undefined;
    const length = claimedLength(this.#window, start, this.#windowBytes);
    return length === undefined ? undefined : this.#hold(offset, length);
  }

  /** Whether what is left is the beginning of a record, or zeros. */
  #isUnfinished(offset: number): boolean {
    const left = this.#end - offset;
    const start = this.#hold(offset, Math.min(left, RECORD_FIXED_BYTES));
    if (start === undefined) return true;
    const known = Math.min(left, RECORD_MAGIC.length);
    const hasMagic = this.#window.subarray(start, start + known).equals(RECORD_MAGIC.subarray(0, known));
    if (!hasMagic) return this.#isZero(offset);
    const length = claimedLength(this.#window, start, this.#windowBytes);
    return length === undefined || length > left;
  }

  #isZero(offset: number): boolean {
    for (let at = offset; at < this.#end; at += WINDOW_BYTES) {
      const length = Math.min(WINDOW_BYTES, this.#end - at);
      const start = this.#hold(at, length);
      if (start === undefined) return true;
      if (this.#window.subarray(start, start + length).some((byte) => byte !== 0)) return false;
    }
    return true;
  }

  /** The offset of the next valid record from `offset` on. */
  #searchRecord(offset: number): number | undefined {
    for (let at = offset; at + RECORD_FIXED_BYTES <= this.#end; ) {
      const start = this.#hold(at, Math.min(WINDOW_BYTES, this.#end - at));
      if (start === undefined) return undefined;
      const found = this.#window.subarray(0, this.#windowBytes).indexOf(RECORD_MAGIC, start);
      if (found < 0) {
        // The magic may lie across the edge of the window.
        at = Math.max(at + 1, this.#windowAt + this.#windowBytes - RECORD_MAGIC.length + 1);
        continue;
      }
      const candidate = this.#windowAt + found;
      if (this.#recordAt(candidate) !== undefined) return candidate;
      at = candidate + 1;
    }
    return undefined;
  }

  /** Makes `length` bytes from `offset` stand in the window; returns where. Undefined when there are fewer. */
  #hold(offset: number, length: number): number | undefined {
    const start = offset - this.#windowAt;
    if (start >= 0 && start + length <= this.#windowBytes) return start;
    if (length > this.#end - offset) return undefined;
    if (length > this.#window.length) this.#window = Buffer.allocUnsafeSlow(length);
    const wanted = Math.min(this.#window.length, this.#end - offset);
    this.#windowAt = offset;
    this.#windowBytes = this.#file.read(this.#window.subarray(0, wanted), offset);
    return this.#windowBytes < length ? undefined : 0;
  }
}

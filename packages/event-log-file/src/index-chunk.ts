import type { RecordLocation } from './record-index.js';

/** Five 32-bit numbers: how far `lastSeq` and `at` are from the chunk's first, segment, offset, length. */
const ENTRY_BYTES = 20;
const INITIAL_ENTRIES = 2;
const GROWTH = 1.25;
/** Dropped entries that are worth moving the rest for. */
const MIN_COMPACTED_ENTRIES = 32;
/** So many that what a chunk costs besides its entries is little, and so few that it is never moved far. */
const MAX_ENTRIES = 1_024;
const MAX_DISTANCE = 2 ** 32 - 1;

/** Some records of one user, one behind the other. Each has an ordinal, which never changes. */
export class IndexChunk {
  readonly #baseSeq: number;
  readonly #baseAt: number;
  /** Of the first entry, dropped or not. */
  #firstOrdinal: number;
  #view = new DataView(new ArrayBuffer(INITIAL_ENTRIES * ENTRY_BYTES));
  /** Entries at the front that were dropped, and where the last one ends. */
  #start = 0;
  #end = 0;

  /** A chunk that begins with this record, which is still to be pushed. */
  constructor(first: RecordLocation, ordinal: number) {
    this.#baseSeq = first.lastSeq;
    this.#baseAt = first.at;
    this.#firstOrdinal = ordinal;
  }

  get count(): number {
    return this.#end - this.#start;
  }

  get sizeBytes(): number {
    return this.#view.byteLength;
  }

  get startOrdinal(): number {
    return this.#firstOrdinal + this.#start;
  }

  /** The ordinal behind that of the last record. */
  get endOrdinal(): number {
    return this.#firstOrdinal + this.#end;
  }

  get lastSeq(): number {
    return this.#seqOf(this.#end - 1);
  }

  /** When the first record was appended. */
  get firstAt(): number {
    return this.#baseAt + this.#view.getUint32(this.#start * ENTRY_BYTES + 4);
  }

  /** Whether there is room for a record, and it is not too far from the first, in number or in time. */
  takes({ lastSeq, at }: RecordLocation): boolean {
    const events = lastSeq - this.#baseSeq;
    const ms = at - this.#baseAt;
    return this.count < MAX_ENTRIES && events <= MAX_DISTANCE && ms >= 0 && ms <= MAX_DISTANCE;
  }

  /** Returns how many bytes of memory the chunk takes more. */
  push(record: RecordLocation): number {
    const before = this.sizeBytes;
    if ((this.#end + 1) * ENTRY_BYTES > this.#view.byteLength) this.#resize(GROWTH);
    const byte = this.#end * ENTRY_BYTES;
    this.#view.setUint32(byte, record.lastSeq - this.#baseSeq);
    this.#view.setUint32(byte + 4, record.at - this.#baseAt);
    this.#place(byte, record);
    this.#end += 1;
    return this.sizeBytes - before;
  }

  at(ordinal: number): RecordLocation {
    const view = this.#view;
    const byte = (ordinal - this.#firstOrdinal) * ENTRY_BYTES;
    return {
      lastSeq: this.#baseSeq + view.getUint32(byte),
      at: this.#baseAt + view.getUint32(byte + 4),
      segment: view.getUint32(byte + 8),
      offset: view.getUint32(byte + 12),
      length: view.getUint32(byte + 16),
    };
  }

  /** Ordinal of the record with the event at `seq`; that behind the last when all end before it. */
  find(seq: number): number {
    let low = this.#start;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#seqOf(middle) < seq) low = middle + 1;
      else high = middle;
    }
    return this.#firstOrdinal + low;
  }

  /** As `RecordIndex.move`. */
  move(record: RecordLocation): boolean {
    const entry = this.find(record.lastSeq) - this.#firstOrdinal;
    if (entry >= this.#end || this.#seqOf(entry) !== record.lastSeq) return false;
    this.#place(entry * ENTRY_BYTES, record);
    return true;
  }

  dropFirst(): void {
    this.#start += 1;
    if (this.#start >= MIN_COMPACTED_ENTRIES && this.#start * 2 >= this.#end) this.#resize(1);
  }

  #seqOf(entry: number): number {
    return this.#baseSeq + this.#view.getUint32(entry * ENTRY_BYTES);
  }

  #place(byte: number, { segment, offset, length }: RecordLocation): void {
    this.#view.setUint32(byte + 8, segment);
    this.#view.setUint32(byte + 12, offset);
    this.#view.setUint32(byte + 16, length);
  }

  /** Moves what is there into an array with room for `factor` times as many, and one more. */
  #resize(factor: number): void {
    const { count } = this;
    const entries = Math.min(MAX_ENTRIES, Math.max(INITIAL_ENTRIES, Math.ceil((count + 1) * factor)));
    const kept = new Uint8Array(this.#view.buffer, this.#start * ENTRY_BYTES, count * ENTRY_BYTES);
    const bytes = new Uint8Array(entries * ENTRY_BYTES);
    bytes.set(kept);
    this.#view = new DataView(bytes.buffer);
    this.#firstOrdinal += this.#start;
    this.#start = 0;
    this.#end = count;
  }
}

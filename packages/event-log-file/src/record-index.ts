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

const ENTRY_BYTES = 24;
/** Dropped entries that are worth moving the rest for. */
const MIN_COMPACTED_ENTRIES = 32;

/**
 * The records of one user in the order of their `seq`: 24 bytes each, found by binary search, dropped from the
 * front. The events themselves stay on the disk.
 */
export class RecordIndex {
  #bytes = new ArrayBuffer(0);
  #view = new DataView(this.#bytes);
  #start = 0;
  #end = 0;

  get count(): number {
    return this.#end - this.#start;
  }

  /** What the index takes in memory. */
  get sizeBytes(): number {
    return this.#bytes.byteLength;
  }

  /** The `position`th record from the front. */
  at(position: number): RecordLocation | undefined {
    const slot = this.#start + position;
    if (position < 0 || slot >= this.#end) return undefined;
    const view = this.#view;
    const byte = slot * ENTRY_BYTES;
    return {
      lastSeq: view.getUint32(byte) + view.getUint16(byte + 4) * 2 ** 32,
      at: view.getUint32(byte + 6) + view.getUint16(byte + 10) * 2 ** 32,
      segment: view.getUint32(byte + 12),
      offset: view.getUint32(byte + 16),
      length: view.getUint32(byte + 20),
    };
  }

  push(record: RecordLocation): void {
    if ((this.#end + 1) * ENTRY_BYTES > this.#bytes.byteLength) this.#resize(this.count + 1);
    this.#put(this.#end, record);
    this.#end += 1;
  }

  /** Position of the record with the event at `seq`; `count` when all records end before it. */
  find(seq: number): number {
    let low = this.#start;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#lastSeqOf(middle) < seq) low = middle + 1;
      else high = middle;
    }
    return low - this.#start;
  }

  /** Says where a record is now, by its last `seq`. False when it is no longer here. */
  move(record: RecordLocation): boolean {
    const slot = this.#start + this.find(record.lastSeq);
    if (slot >= this.#end || this.#lastSeqOf(slot) !== record.lastSeq) return false;
    this.#put(slot, record);
    return true;
  }

  dropFirst(): void {
    if (this.#start === this.#end) return;
    this.#start += 1;
    if (this.#start >= MIN_COMPACTED_ENTRIES && this.#start * 2 >= this.#end) this.#resize(this.count);
  }

  #lastSeqOf(slot: number): number {
    const byte = slot * ENTRY_BYTES;
    return this.#view.getUint32(byte) + this.#view.getUint16(byte + 4) * 2 ** 32;
  }

  #put(slot: number, record: RecordLocation): void {
    const view = this.#view;
    const byte = slot * ENTRY_BYTES;
    view.setUint32(byte, record.lastSeq >>> 0);
    view.setUint16(byte + 4, record.lastSeq / 2 ** 32);
    view.setUint32(byte + 6, record.at >>> 0);
    view.setUint16(byte + 10, record.at / 2 ** 32);
    view.setUint32(byte + 12, record.segment);
    view.setUint32(byte + 16, record.offset);
    view.setUint32(byte + 20, record.length);
  }

  /** Moves what is there into an array with room for half as many more. */
  #resize(entries: number): void {
    const bytes = new ArrayBuffer(Math.max(2, entries + (entries >>> 1)) * ENTRY_BYTES);
    const kept = new Uint8Array(this.#bytes, this.#start * ENTRY_BYTES, this.count * ENTRY_BYTES);
    new Uint8Array(bytes).set(kept);
    this.#end = this.count;
    this.#start = 0;
    this.#bytes = bytes;
    this.#view = new DataView(bytes);
  }
}

import { Buffer } from 'node:buffer';
import { ProtocolError } from '@runwire/protocol';
import { MAX_ATTEMPT, MAX_ID_BYTES, RECORD_FIXED_BYTES, sealRecord } from './record-format.js';

const INITIAL_BYTES = 65_536;
/** What is kept for the next group, twice what a full one has; a larger one is given back. */
const MAX_KEPT_BYTES = 8 * 1_048_576;
const NEW_LINE = 10;
/** What a UTF-16 unit takes at most in UTF-8. */
const MAX_UNIT_BYTES = 3;

/** What a record says besides its payload. */
export interface RecordTitle {
  readonly kind: number;
  readonly flags: number;
  readonly userId: string;
  readonly producer: { readonly id: string; readonly attempt: number; readonly n: number } | undefined;
  readonly firstSeq: number;
  readonly count: number;
  readonly at: number;
}

/** A record that was begun. */
interface OpenRecord {
  readonly title: RecordTitle;
  readonly userBytes: number;
  readonly producerBytes: number;
  /** Where its lines begin. */
  readonly payloadAt: number;
}

/** The records of one group, put together where they are written from. */
export class RecordBuffer {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  /** Of the records that are complete. */
  #length = 0;
  /** The record that was begun, and how far it has come. */
  #open: OpenRecord | undefined;
  #end = 0;

  get length(): number {
    return this.#length;
  }

  /** What has been put together; valid until the next `clear`. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > MAX_KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  }

  /**
   * Begins a record; `line` and `end` follow, or `cancel`.
   *
   * @throws ProtocolError `NOT_ENCODABLE` for an id or attempt that a record cannot hold; then nothing is begun
   */
  begin(title: RecordTitle): void {
    const { userId, producer } = title;
    const userBytes = idBytes(userId);
    const producerBytes = producer === undefined ? 0 : idBytes(producer.id);
    if ((producer?.attempt ?? 0) > MAX_ATTEMPT) {
      throw new ProtocolError('NOT_ENCODABLE', `An attempt is at most ${MAX_ATTEMPT}.`);
    }
    const payloadAt = this.#length + RECORD_FIXED_BYTES + userBytes + producerBytes;
    this.#reserve(payloadAt);
    const producerAt =
      this.#length + RECORD_FIXED_BYTES + this.#bytes.write(userId, this.#length + RECORD_FIXED_BYTES);
    if (producer !== undefined) this.#bytes.write(producer.id, producerAt);
    this.#open = { title, userBytes, producerBytes, payloadAt };
    this.#end = payloadAt;
  }

  /** Adds a line to the record that was begun; returns its UTF-8 bytes. */
  line(text: string): number {
    this.#reserve(this.#end + 1 + text.length * MAX_UNIT_BYTES);
    if (this.#end > (this.#open?.payloadAt ?? 0)) {
      this.#bytes[this.#end] = NEW_LINE;
      this.#end += 1;
    }
    const bytes = this.#bytes.write(text, this.#end);
    this.#end += bytes;
    return bytes;
  }

  /** Ends the record; returns the bytes of the whole. */
  end(): number {
    if (this.#open === undefined) return 0;
    const { title, userBytes, producerBytes } = this.#open;
    const start = this.#length;
    const length = this.#end - start;
    // Property by property: a spread costs as much as all the rest.
    sealRecord(this.#bytes, start, {
      length,
      kind: title.kind,
      flags: title.flags,
      userBytes,
      producerBytes,
      firstSeq: title.firstSeq,
      count: title.count,
      at: title.at,
      attempt: title.producer?.attempt ?? 0,
      n: title.producer?.n ?? 0,
    });
    this.#length = this.#end;
    this.#open = undefined;
    return length;
  }

  /** Takes back the record that was begun. */
  cancel(): void {
    this.#open = undefined;
  }

  /** As `begin`, `line` for each and `end`. */
  add(title: RecordTitle, lines: readonly string[]): number {
    this.begin(title);
    for (const line of lines) this.line(line);
    return this.end();
  }

  /** A copy of some of the bytes, which outlives the next `clear`. */
  copy(from: number, to: number): Buffer {
    return Buffer.from(this.#bytes.subarray(from, to));
  }

  /** Adds a record as it is. */
  addBytes(record: Uint8Array): void {
    this.#reserve(this.#length + record.length);
    this.#bytes.set(record, this.#length);
    this.#length += record.length;
  }

  /** Makes room for `end` bytes in all. */
  #reserve(end: number): void {
    if (end <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(end, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, Math.max(this.#length, this.#end));
    this.#bytes = larger;
  }
}

/** Two ids must not become one on the disk, which is what happens to surrogates without a partner. */
const LONE_SURROGATE = /\p{Surrogate}/u;

function idBytes(id: string): number {
  const bytes = Buffer.byteLength(id);
  if (bytes <= MAX_ID_BYTES && !LONE_SURROGATE.test(id)) return bytes;
  throw new ProtocolError('NOT_ENCODABLE', `An id is at most ${MAX_ID_BYTES} bytes of whole characters.`);
}

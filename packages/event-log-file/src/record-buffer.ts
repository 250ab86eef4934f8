import { Buffer } from 'node:buffer';
import { ProtocolError } from '@runwire/protocol';
import { MAX_ATTEMPT, MAX_ID_BYTES, RECORD_FIXED_BYTES, sealRecord } from './record-format.js';

const INITIAL_BYTES = 65_536;
/** What is kept for the next group; a larger one is given back. */
const MAX_KEPT_BYTES = 4 * 1_048_576;
const NEW_LINE = 10;

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

/** The records of one group, put together where they are written from. */
export class RecordBuffer {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #length = 0;

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
   * Adds a record of `lines`, whose UTF-8 bytes are given; returns the bytes of the whole record.
   *
   * @throws ProtocolError `NOT_ENCODABLE` for an id or attempt that a record cannot hold; then nothing is added
   */
  add(title: RecordTitle, lines: readonly string[], lineBytes: number): number {
    const start = this.#length;
    const { userId, producer } = title;
    const userBytes = idBytes(userId);
    const producerBytes = producer === undefined ? 0 : idBytes(producer.id);
    if ((producer?.attempt ?? 0) > MAX_ATTEMPT) {
      throw new ProtocolError('NOT_ENCODABLE', `An attempt is at most ${MAX_ATTEMPT}.`);
    }
    const length = RECORD_FIXED_BYTES + userBytes + producerBytes + lineBytes + lines.length - 1;
    this.#reserve(length);
    let at = start + RECORD_FIXED_BYTES;
    at += this.#bytes.write(userId, at);
    if (producer !== undefined) at += this.#bytes.write(producer.id, at);
    at += this.#bytes.write(lines[0] ?? '', at);
    for (let line = 1; line < lines.length; line += 1) {
      this.#bytes[at] = NEW_LINE;
      at += 1 + this.#bytes.write(lines[line] ?? '', at + 1);
    }
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
      attempt: producer?.attempt ?? 0,
      n: producer?.n ?? 0,
    });
    this.#length = start + length;
    return length;
  }

  /** Adds a record as it is. */
  addBytes(record: Uint8Array): void {
    this.#reserve(record.length);
    this.#bytes.set(record, this.#length);
    this.#length += record.length;
  }

  #reserve(length: number): void {
    const needed = this.#length + length;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
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

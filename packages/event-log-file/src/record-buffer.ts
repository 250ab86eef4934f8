import { Buffer } from 'node:buffer';
import { type EncodedPiece, type EncodingTarget, ProtocolError } from '@runwire/protocol';
import {
  MAX_ATTEMPT,
  MAX_ID_BYTES,
  RECORD_FIXED_BYTES,
  type RecordTitle,
  sealRecord,
} from './record-format.js';

/** Memory is taken in blocks of so much; a group that needs more gets its own. */
const BLOCK_BYTES = 262_144;
/** A block with less room than this is not begun again. */
const MIN_FREE_BYTES = 16_384;
const NEW_LINE = 10;
const ZERO = 48;
/** What a UTF-16 unit takes at most in UTF-8. */
const MAX_UNIT_BYTES = 3;
const MAX_INTEGER = 2 ** 31 - 1;
const MAX_DIGITS = 10;
/** Up to here a loop is faster than a call into the engine. */
const MAX_LOOPED_UNITS = 64;
const MAX_ASCII = 127;
/** Up to here a text is made JSON faster in a loop than by the engine, whose result is to be copied after. */
const MAX_QUOTED_UNITS = 128;
const SPACE = 32;
const QUOTE = 34;
const BACKSLASH = 92;
/** What JSON writes behind a backslash for a unit; 0 for what it writes otherwise. */
const ESCAPES = new Uint8Array(MAX_ASCII + 1);
for (const [unit, letter] of ['\bb', '\tt', '\nn', '\ff', '\rr', '""', '\\\\']) {
  ESCAPES[unit?.charCodeAt(0) ?? 0] = letter?.charCodeAt(0) ?? 0;
}

/** A record that was begun. */
interface OpenRecord {
  readonly title: RecordTitle;
  readonly userBytes: number;
  readonly producerBytes: number;
}

/**
 * The records of one group, put together where they are written from. What was put there is never overwritten: who
 * needs it for longer keeps a view of it.
 */
export class RecordBuffer implements EncodingTarget {
  #block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  /** Where the group begins, and where its last complete record ends. */
  #start = 0;
  #complete = 0;
  /** The record that was begun, where its lines begin, and how far it has come. */
  #open: OpenRecord | undefined;
  #linesAt = 0;
  #lineAt = 0;
  #end = 0;

  /** Bytes of the complete records. */
  get length(): number {
    return this.#complete - this.#start;
  }

  /** What has been put together. */
  get bytes(): Buffer {
    return this.#block.subarray(this.#start, this.#complete);
  }

  /** The last so many bytes that were written. */
  last(bytes: number): Buffer {
    return this.#block.subarray(this.#end - bytes, this.#end);
  }

  /** Begins the next group. */
  clear(): void {
    this.#start = this.#complete;
    if (this.#block.length === BLOCK_BYTES && this.#block.length - this.#start >= MIN_FREE_BYTES) return;
    this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.#start = 0;
    this.#complete = 0;
  }

  /**
   * Begins a record; `beginLine` for each line and `finish` follow, or `cancel`.
   *
   * @throws ProtocolError `NOT_ENCODABLE` for an id or attempt that a record cannot hold; then nothing is begun
   */
  begin(title: RecordTitle): void {
    const { userId, producer } = title;
    if ((producer?.attempt ?? 0) > MAX_ATTEMPT) {
      throw new ProtocolError('NOT_ENCODABLE', `An attempt is at most ${MAX_ATTEMPT}.`);
    }
    this.#end = this.#complete;
    this.#reserve(RECORD_FIXED_BYTES);
    this.#end += RECORD_FIXED_BYTES;
    const userBytes = this.#id(userId);
    const producerBytes = producer === undefined ? 0 : this.#id(producer.id);
    this.#linesAt = this.#end;
    this.#open = { title, userBytes, producerBytes };
  }

  /** Begins a line of the record that was begun: what follows is written to it. */
  beginLine(): void {
    if (this.#end > this.#linesAt) {
      this.#reserve(1);
      this.#block[this.#end] = NEW_LINE;
      this.#end += 1;
    }
    this.#lineAt = this.#end;
  }

  /** Bytes of the line so far. */
  get lineLength(): number {
    return this.#end - this.#lineAt;
  }

  piece({ bytes }: EncodedPiece): void {
    this.#reserve(bytes.length);
    this.#block.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  ascii(text: string): void {
    const { length } = text;
    this.#reserve(length);
    if (length > MAX_LOOPED_UNITS) {
      this.#end += this.#block.write(text, this.#end, 'latin1');
      return;
    }
    const block = this.#block;
    const start = this.#end;
    for (let at = 0; at < length; at += 1) block[start + at] = text.charCodeAt(at);
    this.#end = start + length;
  }

  number(value: number): void {
    if (value > MAX_INTEGER) {
      this.ascii(String(value));
      return;
    }
    this.#reserve(MAX_DIGITS);
    const block = this.#block;
    let at = this.#end + digitsOf(value);
    this.#end = at;
    // Within 32 bits, and said so: a division of integers takes a tenth of one of doubles.
    let rest = value | 0;
    do {
      const tenth = (rest / 10) | 0;
      at -= 1;
      block[at] = ZERO + (rest - tenth * 10);
      rest = tenth;
    } while (rest > 0);
  }

  text(text: string): void {
    this.#text(text);
  }

  quoted(text: string): void {
    if (text.length > MAX_QUOTED_UNITS || !this.#shortQuoted(text)) this.#text(JSON.stringify(text));
  }

  /** Ends the record; returns the bytes of the whole. */
  finish(): number {
    if (this.#open === undefined) return 0;
    const { title, userBytes, producerBytes } = this.#open;
    const length = this.#end - this.#complete;
    sealRecord(this.#block, this.#complete, { title, length, userBytes, producerBytes });
    this.#complete = this.#end;
    this.#open = undefined;
    return length;
  }

  /** Takes back the record that was begun. */
  cancel(): void {
    this.#open = undefined;
    this.#end = this.#complete;
  }

  /** A whole record at once; returns its bytes. */
  add(title: RecordTitle, lines: readonly string[]): number {
    this.begin(title);
    for (const line of lines) {
      this.beginLine();
      this.text(line);
    }
    return this.finish();
  }

  /** Adds a record as it is. */
  addBytes(record: Uint8Array): void {
    this.#end = this.#complete;
    this.#reserve(record.length);
    this.#block.set(record, this.#end);
    this.#end += record.length;
    this.#complete = this.#end;
  }

  /** Returns its bytes. */
  #text(text: string): number {
    const { length } = text;
    this.#reserve(length * MAX_UNIT_BYTES);
    if (length <= MAX_LOOPED_UNITS && this.#shortAscii(text)) return length;
    const bytes = this.#block.write(text, this.#end);
    this.#end += bytes;
    return bytes;
  }

  /** Returns its bytes. */
  #id(id: string): number {
    const bytes = this.#text(id);
    if (bytes > MAX_ID_BYTES || (bytes !== id.length && LONE_SURROGATE.test(id))) {
      throw new ProtocolError('NOT_ENCODABLE', `An id is at most ${MAX_ID_BYTES} bytes of whole characters.`);
    }
    return bytes;
  }

  /** False, with nothing written, for a text that is not ASCII. */
  #shortAscii(text: string): boolean {
    const block = this.#block;
    const start = this.#end;
    for (let at = 0; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit > MAX_ASCII) return false;
      block[start + at] = unit;
    }
    this.#end += text.length;
    return true;
  }

  /** As `#shortAscii`, in quotes, and escaped. Saves a twentieth of an event. */
  #shortQuoted(text: string): boolean {
    this.#reserve(2 * text.length + 2);
    const block = this.#block;
    let at = this.#end;
    block[at] = QUOTE;
    at += 1;
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      if (unit >= SPACE && unit <= MAX_ASCII && unit !== QUOTE && unit !== BACKSLASH) {
        block[at] = unit;
        at += 1;
        continue;
      }
      const letter = ESCAPES[unit] ?? 0;
      if (letter === 0) return false;
      block[at] = BACKSLASH;
      block[at + 1] = letter;
      at += 2;
    }
    block[at] = QUOTE;
    this.#end = at + 1;
    return true;
  }

  /** Makes room for so many bytes more. */
  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#block.length) return;
    const size = needed - this.#start;
    const larger = Buffer.allocUnsafeSlow(
      size <= BLOCK_BYTES ? BLOCK_BYTES : Math.max(size, 2 * this.#block.length),
    );
    this.#block.copy(larger, 0, this.#start, this.#end);
    this.#block = larger;
    this.#end -= this.#start;
    this.#linesAt -= this.#start;
    this.#lineAt -= this.#start;
    this.#complete -= this.#start;
    this.#start = 0;
  }
}

/** Two ids must not become one on the disk, which is what happens to surrogates without a partner. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Of a number of 32 bits. */
function digitsOf(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits += 1;
  return digits;
}

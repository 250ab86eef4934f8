import { Buffer } from 'node:buffer';
import type { EncodedEvent } from '@runwire/event-log';

const DATA_KEY = ',"data":';
const OFFSET_KEY = ',"offset":';
/** So much is made text at a time: a text that is larger than this by much would get pages of its own each time. */
const WINDOW_BYTES = 32_768;

/** Tells which deltas of a page may belong to the same part, without parsing them. */
export class DeltaParts {
  readonly #lines: Buffer | undefined;
  /** Some of the lines, one character for each byte, so that places in the text are places in the bytes. */
  #text = '';
  #from = 0;

  /** @param lines - their JSON in UTF-8, one line each; without them every event is looked at by itself, for three times as long */
  constructor(lines: Uint8Array | undefined) {
    this.#lines = lines && Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength);
  }

  /**
   * What stands in a delta before its offset: message, part, kind. Written in another order, deltas of one part
   * differ in it.
   *
   * @param from - where the delta begins in the lines: never before that of the last one
   */
  of(delta: EncodedEvent, from: number): string {
    if (this.#lines === undefined) return partIn(delta.json, 0);
    const to = from + delta.bytes;
    if (to > this.#from + this.#text.length) {
      this.#from = from;
      this.#text = this.#lines.toString('latin1', from, Math.max(to, from + WINDOW_BYTES));
    }
    return partIn(this.#text, from - this.#from);
  }
}

function partIn(text: string, from: number): string {
  const dataAt = text.indexOf(DATA_KEY, from);
  return text.slice(dataAt, text.indexOf(OFFSET_KEY, dataAt) + OFFSET_KEY.length);
}

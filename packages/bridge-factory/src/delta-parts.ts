import { Buffer } from 'node:buffer';
import type { EncodedEvent } from '@runwire/event-log';

const DATA_KEY = ',"data":';
const OFFSET_KEY = ',"offset":';

/** Tells which deltas of a page may belong to the same part, without parsing them. */
export class DeltaParts {
  /** The lines, one character for each byte, so that places in the text are places in the bytes. */
  readonly #text: string | undefined;

  /** @param lines - their JSON in UTF-8, one line each; without them every event is looked at by itself, for three times as long */
  constructor(lines: Uint8Array | undefined) {
    this.#text = lines && Buffer.from(lines.buffer, lines.byteOffset, lines.byteLength).toString('latin1');
  }

  /**
   * What stands in a delta before its offset: message, part, kind. Written in another order, deltas of one part
   * differ in it.
   *
   * @param from - where the delta begins in the lines
   */
  of(delta: EncodedEvent, from: number): string {
    const text = this.#text ?? delta.json;
    const dataAt = text.indexOf(DATA_KEY, this.#text === undefined ? 0 : from);
    return text.slice(dataAt, text.indexOf(OFFSET_KEY, dataAt) + OFFSET_KEY.length);
  }
}

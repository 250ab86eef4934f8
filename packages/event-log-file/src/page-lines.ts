import { Buffer } from 'node:buffer';

const INITIAL_BYTES = 16_384;
const NEW_LINE = 10;

/** Gathers the lines of a page from the buffers that they were read into, which do not last. */
export class PageLines {
  #bytes: Buffer | undefined;
  #length = 0;

  /** Everything added, a line break between each; undefined when nothing was. */
  get all(): Uint8Array | undefined {
    return this.#bytes?.subarray(0, this.#length);
  }

  /** Adds a line. */
  add(source: Buffer, from: number, to: number): void {
    const bytes = this.#room(to - from + 1);
    if (this.#length > 0) {
      bytes[this.#length] = NEW_LINE;
      this.#length += 1;
    }
    this.#length += source.copy(bytes, this.#length, from, to);
  }

  #room(more: number): Buffer {
    const needed = this.#length + more;
    if (this.#bytes !== undefined && needed <= this.#bytes.length) return this.#bytes;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * (this.#bytes?.length ?? INITIAL_BYTES / 2)));
    this.#bytes?.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
    return larger;
  }
}

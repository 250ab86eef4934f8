import { Buffer } from 'node:buffer';

const NEW_LINE = 10;

/** Lines gathered from the buffers that they were read into, which do not last, with a line break between each. */
export class PageLines {
  #bytes: Buffer | undefined;
  #length = 0;

  /** Makes room for so many bytes at once. */
  expect(bytes: number): void {
    this.#room(bytes);
  }

  /** Adds what stands in `source` between two places, one line or several; returns where it stands from now on. */
  add(source: Buffer, { from, to }: { readonly from: number; readonly to: number }): number {
    const bytes = this.#room(to - from + 1);
    if (this.#length > 0) {
      bytes[this.#length] = NEW_LINE;
      this.#length += 1;
    }
    const at = this.#length;
    this.#length += source.copy(bytes, at, from, to);
    return at;
  }

  /** The text between two places. */
  text(from: number, to: number, encoding: 'utf8' | 'latin1' = 'utf8'): string {
    return this.#bytes?.toString(encoding, from, to) ?? '';
  }

  /** The bytes between two places; they are never changed. */
  bytes(from: number, to: number): Uint8Array | undefined {
    return this.#bytes?.subarray(from, to);
  }

  #room(more: number): Buffer {
    const needed = this.#length + more;
    if (this.#bytes !== undefined && needed <= this.#bytes.length) return this.#bytes;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * (this.#bytes?.length ?? 0)));
    this.#bytes?.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
    return larger;
  }
}

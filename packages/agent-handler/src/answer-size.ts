import { Buffer } from 'node:buffer';

/** How large the answer of one run may become. */
export interface AnswerLimits {
  readonly maxAnswerBytes: number;
  readonly maxAnswerParts: number;
}

/**
 * Measures an answer as it grows: it is kept in memory until its run ends, and an agent that never stops talking
 * must not be what fills it.
 */
export class AnswerSize {
  readonly #limits: AnswerLimits;
  #bytes = 0;
  #parts = 0;

  constructor(limits: AnswerLimits) {
    this.#limits = limits;
  }

  /** Takes what is to be added; false, and nothing taken, when it would be too much. */
  take(text: string, newParts: number): boolean {
    const bytes = this.#bytes + Buffer.byteLength(text);
    const parts = this.#parts + newParts;
    if (bytes > this.#limits.maxAnswerBytes || parts > this.#limits.maxAnswerParts) return false;
    this.#bytes = bytes;
    this.#parts = parts;
    return true;
  }
}

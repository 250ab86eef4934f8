import type { IdGeneratorDeps } from './contract.js';
import { COUNTER_DIGITS, RADIX, TIME_DIGITS } from './format.js';

const LOW_DIGITS = 2;
const LOW_SPAN = RADIX ** LOW_DIGITS;
const COUNTER_SPAN = RADIX ** COUNTER_DIGITS;
const LAST_MS = RADIX ** TIME_DIGITS - 1;

/** `00` … `zz`: the last two digits of the counter, so that most ids cost one concatenation. */
const LOW: readonly string[] = Object.freeze(
  Array.from({ length: LOW_SPAN }, (_, n) => digits(n, LOW_DIGITS)),
);

/** Time, node and counter: strictly increasing, whatever the wall clock does. */
export class IdSequence {
  readonly #clock: IdGeneratorDeps['clock'];
  readonly #node: string;
  readonly #counterSpan: number;
  #timeMs = 0;
  #counter = -1;
  /** Time, node and the counter's leading digits: they change every 1,296 ids and every millisecond. */
  #lead = '';

  /** `counterSpan`: ids in one millisecond; tests lower it. */
  constructor(clock: IdGeneratorDeps['clock'], node: string, counterSpan = COUNTER_SPAN) {
    this.#clock = clock;
    this.#node = node;
    this.#counterSpan = counterSpan;
  }

  next(): string {
    const nowMs = Math.floor(this.#clock.nowMs());
    if (nowMs > this.#timeMs && nowMs <= LAST_MS) {
      this.#timeMs = nowMs;
      this.#counter = 0;
    } else {
      this.#counter += 1;
      if (this.#counter === this.#counterSpan) {
        this.#timeMs += 1;
        this.#counter = 0;
      }
    }
    const low = this.#counter % LOW_SPAN;
    if (low === 0) this.#lead = this.#leadOf((this.#counter - low) / LOW_SPAN);
    return this.#lead + (LOW[low] ?? '');
  }

  #leadOf(high: number): string {
    return digits(this.#timeMs, TIME_DIGITS) + this.#node + digits(high, COUNTER_DIGITS - LOW_DIGITS);
  }
}

function digits(value: number, length: number): string {
  return value.toString(RADIX).padStart(length, '0');
}

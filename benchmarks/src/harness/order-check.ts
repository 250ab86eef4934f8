/** What one connection received, compared with 1, 2, 3 … */
export interface OrderReport {
  /** Numbers received, each counted once. */
  readonly received: number;
  readonly duplicated: number;
  /** Came after a higher one. */
  readonly reordered: number;
  /** Texts that were no events of this run. */
  readonly garbled: number;
}

/** Checks that the numbers of one connection come once each, in order. */
export class OrderCheck {
  #next: number;
  #received = 0;
  #duplicated = 0;
  #reordered = 0;
  #garbled = 0;
  /** Numbers that a later one overtook. */
  readonly #missing = new Set<number>();

  /** `first` is the number with which the connection begins. */
  constructor(first = 1) {
    this.#next = first;
  }

  get received(): number {
    return this.#received;
  }

  take(number: number): void {
    if (number === this.#next) {
      this.#next += 1;
      this.#received += 1;
    } else this.#takeOther(number);
  }

  report(): OrderReport {
    return {
      received: this.#received,
      duplicated: this.#duplicated,
      reordered: this.#reordered,
      garbled: this.#garbled,
    };
  }

  #takeOther(number: number): void {
    if (!Number.isSafeInteger(number) || number < 1) {
      this.#garbled += 1;
    } else if (number > this.#next) {
      for (let skipped = this.#next; skipped < number; skipped += 1) this.#missing.add(skipped);
      this.#next = number + 1;
      this.#received += 1;
    } else if (this.#missing.delete(number)) {
      this.#received += 1;
      this.#reordered += 1;
    } else {
      this.#duplicated += 1;
    }
  }
}

/** A promise that was broken. */
export interface Violation {
  /** Which invariant; short, and the same for the same bug. */
  readonly invariant: string;
  readonly message: string;
  readonly atMs: number;
}

/** Where invariants report to. */
export class Verdicts {
  readonly #nowMs: () => number;
  #first: Violation | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** The first violation: what follows it may follow from it. */
  get first(): Violation | undefined {
    return this.#first;
  }

  /** An invariant does not hold. */
  violated(invariant: string, message: string): void {
    this.#first ??= { invariant, message, atMs: this.#nowMs() };
  }
}

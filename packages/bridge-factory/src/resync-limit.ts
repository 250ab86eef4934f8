const MINUTE_MS = 60_000;

/** At most `max` in any minute. Pure state; time comes in as an argument. */
export class ResyncLimit {
  readonly #max: number;
  #takenAtMs: number[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes one, or says after how many milliseconds the next may be taken. */
  take(
    nowMs: number,
  ): { readonly allowed: true } | { readonly allowed: false; readonly retryAfterMs: number } {
    this.#takenAtMs = this.#takenAtMs.filter((atMs) => nowMs - atMs < MINUTE_MS);
    const [oldest] = this.#takenAtMs;
    if (oldest !== undefined && this.#takenAtMs.length >= this.#max) {
      return { allowed: false, retryAfterMs: Math.ceil(oldest + MINUTE_MS - nowMs) };
    }
    this.#takenAtMs.push(nowMs);
    return { allowed: true };
  }
}

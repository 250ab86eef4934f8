const MINUTE_MS = 60_000;

/** At most `max` in any minute. Pure state; time comes in as an argument. */
export class ResyncLimit {
  readonly #max: number;
  /** Undefined before the first: most connections never resync. */
  #takenAtMs: number[] | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes one, or says after how many milliseconds the next may be taken. */
  take(
    nowMs: number,
  ): { readonly allowed: true } | { readonly allowed: false; readonly retryAfterMs: number } {
    const taken = (this.#takenAtMs ?? []).filter((atMs) => nowMs - atMs < MINUTE_MS);
    this.#takenAtMs = taken;
    const [oldest] = taken;
    if (oldest !== undefined && taken.length >= this.#max) {
      return { allowed: false, retryAfterMs: Math.ceil(oldest + MINUTE_MS - nowMs) };
    }
    taken.push(nowMs);
    return { allowed: true };
  }
}

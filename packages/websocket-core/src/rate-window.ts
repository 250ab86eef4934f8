/** What a window said to one request. */
export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly retryAfterMs: number };

const ALLOWED: Verdict = Object.freeze({ allowed: true });

/**
 * At most `limit` within any `windowMs`, exactly: it remembers the instants, so it is for small limits. Only
 * what was allowed counts.
 */
export class SlidingWindow {
  readonly #limit: number;
  readonly #windowMs: number;
  #instants: number[] = [];

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  take(nowMs: number): Verdict {
    this.#forget(nowMs);
    const [oldest] = this.#instants;
    if (oldest !== undefined && this.#instants.length >= this.#limit) {
      return { allowed: false, retryAfterMs: Math.ceil(oldest + this.#windowMs - nowMs) };
    }
    this.#instants.push(nowMs);
    return ALLOWED;
  }

  /** True when nothing in the window counts any more. */
  isIdle(nowMs: number): boolean {
    this.#forget(nowMs);
    return this.#instants.length === 0;
  }

  #forget(nowMs: number): void {
    const keep = this.#instants.findIndex((atMs) => atMs > nowMs - this.#windowMs);
    if (keep === -1) this.#instants = [];
    else if (keep > 0) this.#instants.splice(0, keep);
  }
}

/**
 * Counts everything in consecutive windows of `windowMs`, in two numbers: for large limits, where it may let
 * up to twice the limit pass around a window's border.
 */
export class CountingWindow {
  readonly #limit: number;
  readonly #windowMs: number;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Counts one; false when it is above the limit. */
  take(nowMs: number): boolean {
    if (nowMs - this.#startedAtMs >= this.#windowMs) {
      this.#startedAtMs = nowMs;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= this.#limit;
  }
}

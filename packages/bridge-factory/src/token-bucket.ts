/**
 * Bytes per second, shared by a user's emitters. Pure state; time comes in as an argument. It holds one
 * second's worth and may be overdrawn once, so that an append larger than what is left need not be cut.
 */
export class TokenBucket {
  readonly #bytesPerSecond: number;
  #tokens: number;
  #filledAtMs: number;

  constructor(bytesPerSecond: number, nowMs: number) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#tokens = bytesPerSecond;
    this.#filledAtMs = nowMs;
  }

  /** Whether something may be taken, whatever the time. */
  get hasSome(): boolean {
    return this.#tokens > 0;
  }

  /** Milliseconds until something may be taken; 0 when it may be now. */
  delayMs(nowMs: number): number {
    this.#fill(nowMs);
    return this.#tokens > 0 ? 0 : Math.floor((-this.#tokens * 1000) / this.#bytesPerSecond) + 1;
  }

  /** Whether nothing of the last second's worth is used. */
  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens === this.#bytesPerSecond;
  }

  take(bytes: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#tokens -= bytes;
  }

  #fill(nowMs: number): void {
    const gained = ((nowMs - this.#filledAtMs) * this.#bytesPerSecond) / 1000;
    this.#tokens = Math.min(this.#bytesPerSecond, this.#tokens + gained);
    this.#filledAtMs = nowMs;
  }
}

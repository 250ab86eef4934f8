import type { Clock, TimerHandle } from '@runwire/kernel';
import { TokenBucket } from './token-bucket.js';

/**
 * The bytes that all runs of one user may append. Who must wait is served in the order of asking, one append
 * each, so that a run that floods keeps no other run of its user from appending. One timer, while somebody
 * waits.
 */
export class LogBudget {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  readonly #waiting = new Set<() => void>();
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bucket = new TokenBucket(bytesPerSecond, clock.monotonicMs());
  }

  /** Whether something may be appended at once, past nobody. */
  get isOpen(): boolean {
    if (this.#waiting.size > 0) return false;
    return this.#bucket.hasSome || this.#bucket.delayMs(this.#clock.monotonicMs()) === 0;
  }

  /** Whether nothing of it is used: another one would do as well. */
  get isUntouched(): boolean {
    return this.#waiting.size === 0 && this.#bucket.isFull(this.#clock.monotonicMs());
  }

  /** Uses up bytes, whether or not there are as many: an append is never cut, the next one waits longer. */
  take(bytes: number): void {
    this.#bucket.take(bytes, this.#clock.monotonicMs());
  }

  /** Calls `turn` once, in a later turn of the event loop, when it may append. Returns how to wait no longer. */
  wait(turn: () => void): () => void {
    this.#waiting.add(turn);
    this.#arm();
    return () => {
      this.#waiting.delete(turn);
      if (this.#waiting.size > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
    };
  }

  #arm(): void {
    if (this.#waiting.size === 0) return;
    const delayMs = this.#bucket.delayMs(this.#clock.monotonicMs());
    this.#timer ??= this.#clock.setTimer(delayMs, () => this.#serve());
  }

  #serve(): void {
    this.#timer = undefined;
    for (const turn of this.#waiting) {
      if (this.#bucket.delayMs(this.#clock.monotonicMs()) > 0) break;
      this.#waiting.delete(turn);
      turn();
    }
    this.#arm();
  }
}

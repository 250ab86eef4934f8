import type { Clock } from '@runwire/kernel';

/** The answer to a handshake that is kept back. */
export interface HeldAnswer {
  /** Lets it go. Repeatable. */
  release(): void;
}

/** Each is kept back for one to two of these: longer than a token's verification takes, too short to be noticed. */
const STEP_MS = 5;

/**
 * Keeps the answers to handshakes back for moments, so that the first frame goes out in the same system call: a
 * fifth of what an authenticated connect costs. Whoever sends something lets his own go; this lets go what is left.
 */
export class HeldAnswers {
  readonly #clock: Clock;
  /** Added in this step, and in the one before: one timer for all would cut the newest short. */
  #held: HeldAnswer[] = [];
  #older: HeldAnswer[] = [];
  #isTicking = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(answer: HeldAnswer): void {
    this.#held.push(answer);
    if (!this.#isTicking) this.#tick();
  }

  #tick(): void {
    this.#isTicking = true;
    this.#clock.setTimer(STEP_MS, () => this.#step());
  }

  #step(): void {
    const over = this.#older;
    this.#older = this.#held;
    this.#held = [];
    this.#isTicking = false;
    if (this.#older.length > 0) this.#tick();
    for (const answer of over) answer.release();
  }
}

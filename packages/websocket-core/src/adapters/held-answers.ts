import type { Clock } from '@runwire/kernel';

/** The answer to a handshake that is kept back. */
export interface HeldAnswer {
  /** Lets it go. Repeatable. */
  release(): void;
}

/** Longer than a token's verification takes; too short for anybody to notice. */
const MAX_HELD_MS = 10;

/**
 * Keeps the answers to handshakes back for moments, so that the first frame goes out in the same system call: a
 * fifth of what an authenticated connect costs. Whoever sends something lets his own go; this lets go what is left.
 */
export class HeldAnswers {
  readonly #clock: Clock;
  #held: HeldAnswer[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(answer: HeldAnswer): void {
    this.#held.push(answer);
    if (this.#held.length === 1) this.#clock.setTimer(MAX_HELD_MS, () => this.#release());
  }

  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const answer of held) answer.release();
  }
}

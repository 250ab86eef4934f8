/** How many events of a user a contestant without a log keeps. */
export const RING_EVENTS = 5_000;

/** The newest events of one user, numbered 1, 2, 3 …, ready to be written again. */
export class Ring {
  readonly #items: string[] = [];
  #head = 0;

  /** The number of the newest event; 0 before the first. */
  get head(): number {
    return this.#head;
  }

  /** Keeps an event; its number is the head from now on. */
  push(item: string): void {
    this.#items[this.#head % RING_EVENTS] = item;
    this.#head += 1;
  }

  /** What came after `number`, as far as it is kept. */
  *after(number: number): Generator<string> {
    const first = Math.max(number, this.#head - RING_EVENTS);
    for (let at = first; at < this.#head; at += 1) {
      const item = this.#items[at % RING_EVENTS];
      if (item !== undefined) yield item;
    }
  }
}

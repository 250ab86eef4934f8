import type { Clock, Logger, TimerHandle } from '@runwire/kernel';

/** Where somebody stands that waits for nothing. */
export const NOWHERE = -1;

/** Somebody who waits for one instant at a time. */
export interface Waiting {
  /** Kept by the timetable; {@link NOWHERE} at first. */
  place: number;
  /** The instant has come. Until it asks again, it waits for nothing. */
  due(): void;
}

/**
 * The waiting of all connections of a server, on one timer: the next of them by its instant. A binary heap whose
 * members know their places; a timer for each connection took 0.5 KiB of it.
 */
export class Timetable {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #waiting: Waiting[] = [];
  /** The instants, monotonic, in the order of `#waiting`. */
  readonly #atMs: number[] = [];
  #timer: TimerHandle | undefined;
  #armedAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Lets `who` wait for `atMs`, instead of what it waited for before. */
  set(who: Waiting, atMs: number): void {
    if (who.place === NOWHERE) this.#rise(who, atMs, this.#waiting.length);
    else if (atMs < (this.#atMs[who.place] ?? 0)) this.#rise(who, atMs, who.place);
    else this.#sink(who, atMs, who.place);
    this.#arm();
  }

  /** Lets `who` wait no longer, if it did. */
  remove(who: Waiting): void {
    if (who.place === NOWHERE) return;
    this.#take(who);
    // A timer that is set for an instant nobody waits for any more stays: it finds nothing due and arms again.
    if (this.#waiting.length === 0) this.#disarm();
  }

  #take({ place }: Waiting): void {
    const who = this.#waiting[place];
    const last = this.#waiting.at(-1);
    const lastAtMs = this.#atMs.at(-1);
    if (who === undefined || last === undefined || lastAtMs === undefined) return;
    const atMs = this.#atMs[place] ?? lastAtMs;
    this.#waiting.pop();
    this.#atMs.pop();
    who.place = NOWHERE;
    if (last === who) return;
    if (lastAtMs < atMs) this.#rise(last, lastAtMs, place);
    else this.#sink(last, lastAtMs, place);
  }

  /** Puts `who` at `from` or above. */
  #rise(who: Waiting, atMs: number, from: number): void {
    const waiting = this.#waiting;
    const instants = this.#atMs;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = waiting[above];
      const otherAtMs = instants[above];
      if (other === undefined || otherAtMs === undefined || otherAtMs <= atMs) break;
      // In place, here and below: an instant that is handed on takes memory, and each connect has dozens.
      waiting[at] = other;
      instants[at] = otherAtMs;
      other.place = at;
      at = above;
    }
    waiting[at] = who;
    instants[at] = atMs;
    who.place = at;
  }

  /** Puts `who` at `from` or below. */
  #sink(who: Waiting, atMs: number, from: number): void {
    const waiting = this.#waiting;
    const instants = this.#atMs;
    let at = from;
    for (let below = 2 * at + 1; below < waiting.length; below = 2 * at + 1) {
      if ((instants[below + 1] ?? Number.POSITIVE_INFINITY) < (instants[below] ?? 0)) below += 1;
      const other = waiting[below];
      const otherAtMs = instants[below];
      if (other === undefined || otherAtMs === undefined || otherAtMs >= atMs) break;
      waiting[at] = other;
      instants[at] = otherAtMs;
      other.place = at;
      at = below;
    }
    waiting[at] = who;
    instants[at] = atMs;
    who.place = at;
  }

  #arm(): void {
    const [atMs] = this.#atMs;
    if (atMs === undefined || atMs >= this.#armedAtMs) return;
    this.#disarm();
    this.#armedAtMs = atMs;
    this.#timer = this.#clock.setTimer(atMs - this.#clock.monotonicMs(), () => this.#fire());
  }

  #fire(): void {
    this.#timer = undefined;
    this.#armedAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.monotonicMs();
    const due: Waiting[] = [];
    for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
      if ((this.#atMs[0] ?? 0) > nowMs) break;
      due.push(first);
      this.#take(first);
    }
    for (const who of due) this.#tell(who);
    this.#arm();
  }

  /** One connection that fails keeps nothing from the others. */
  #tell(who: Waiting): void {
    try {
      who.due();
    } catch (cause) {
      this.#logger.error({ err: cause }, 'What a connection waited for failed');
    }
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armedAtMs = Number.POSITIVE_INFINITY;
  }
}

import type { Clock, TimerHandle } from '@runwire/kernel';

/** What a connection waits for. */
export type Job = 'authentication' | 'heartbeat' | 'silence' | 'token' | 'refresh' | 'destroy';

interface Entry {
  readonly atMs: number;
  readonly run: () => void;
}

/** All waiting of one connection, on one timer: the next job by its deadline. */
export class Agenda {
  readonly #clock: Clock;
  readonly #jobs = new Map<Job, Entry>();
  #timer: TimerHandle | undefined;
  #armedAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a timer is set. */
  get armed(): boolean {
    return this.#timer !== undefined;
  }

  /** Runs `run` at the monotonic instant `atMs`; replaces the job of that name. */
  set(job: Job, atMs: number, run: () => void): void {
    this.#jobs.set(job, { atMs, run });
    this.#arm();
  }

  cancel(job: Job): void {
    this.#jobs.delete(job);
    if (this.#jobs.size === 0) this.#disarm();
  }

  clear(): void {
    this.#jobs.clear();
    this.#disarm();
  }

  #arm(): void {
    let atMs = Number.POSITIVE_INFINITY;
    for (const entry of this.#jobs.values()) atMs = Math.min(atMs, entry.atMs);
    // A timer that is set for an earlier instant stays: it finds nothing due and arms again.
    if (atMs >= this.#armedAtMs) return;
    this.#disarm();
    this.#armedAtMs = atMs;
    this.#timer = this.#clock.setTimer(atMs - this.#clock.monotonicMs(), () => this.#fire());
  }

  #fire(): void {
    this.#timer = undefined;
    this.#armedAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.monotonicMs();
    const due = [...this.#jobs].filter(([, entry]) => entry.atMs <= nowMs);
    due.sort(([, a], [, b]) => a.atMs - b.atMs);
    for (const [job, entry] of due) {
      // An earlier job of this turn may have moved or cancelled this one.
      if (this.#jobs.get(job) !== entry) continue;
      this.#jobs.delete(job);
      entry.run();
    }
    this.#arm();
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armedAtMs = Number.POSITIVE_INFINITY;
  }
}

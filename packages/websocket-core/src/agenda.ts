import type { Clock } from '@runwire/kernel';
import { NOWHERE, type Timetable, type Waiting } from './timetable.js';

const JOBS = ['authentication', 'heartbeat', 'silence', 'token', 'refresh', 'destroy'] as const;
const NEVER = Number.POSITIVE_INFINITY;

/** What a connection waits for. */
export type Job = (typeof JOBS)[number];

/** Whose agenda it is. */
export interface AgendaOwner {
  /** The instant of `job` has come; it is off the agenda. */
  run(job: Job): void;
}

/** All waiting of one connection: at most one instant for each job. */
export class Agenda implements Waiting {
  place = NOWHERE;
  readonly #clock: Clock;
  readonly #timetable: Timetable;
  readonly #owner: AgendaOwner;
  /** By the jobs' places in `JOBS`; monotonic. */
  readonly #atMs = [NEVER, NEVER, NEVER, NEVER, NEVER, NEVER];

  constructor(clock: Clock, timetable: Timetable, owner: AgendaOwner) {
    this.#clock = clock;
    this.#timetable = timetable;
    this.#owner = owner;
  }

  /** Whether anything is waited for. */
  get armed(): boolean {
    return this.place !== NOWHERE;
  }

  /** Runs `job` at the monotonic instant `atMs`, instead of the instant that was set before. */
  set(job: Job, atMs: number): void {
    this.#atMs[JOBS.indexOf(job)] = atMs;
    this.#arrange();
  }

  cancel(job: Job): void {
    this.#atMs[JOBS.indexOf(job)] = NEVER;
    this.#arrange();
  }

  clear(): void {
    this.#atMs.fill(NEVER);
    this.#arrange();
  }

  due(): void {
    const nowMs = this.#clock.monotonicMs();
    const due = this.#atMs.flatMap((atMs, index) => (atMs <= nowMs ? [{ atMs, index }] : []));
    due.sort((a, b) => a.atMs - b.atMs);
    try {
      for (const { atMs, index } of due) {
        const job = JOBS[index];
        // An earlier job of this turn may have moved or cancelled this one.
        if (job === undefined || this.#atMs[index] !== atMs) continue;
        this.#atMs[index] = NEVER;
        this.#owner.run(job);
      }
    } finally {
      this.#arrange();
    }
  }

  #arrange(): void {
    let atMs = NEVER;
    // By index: an iterator puts each instant into an object of its own, seven times six of them for each connect.
    for (let index = 0; index < JOBS.length; index += 1) {
      const jobAtMs = this.#atMs[index] ?? NEVER;
      if (jobAtMs < atMs) atMs = jobAtMs;
    }
    if (atMs === NEVER) this.#timetable.remove(this);
    else this.#timetable.set(this, atMs);
  }
}

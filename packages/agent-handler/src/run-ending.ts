import { createDeferred } from '@runwire/kernel';
import { runOver } from './errors.js';
import type { RunVerdict } from './verdict.js';
import { quiet } from './waiting.js';

/** Decides, once, why a run is over; from then on its signal is aborted and nothing of it waits any more. */
export class RunEnding {
  readonly #abort = new AbortController();
  readonly #decided = createDeferred<RunVerdict>();
  readonly #waiting = new Set<(reason: unknown) => void>();
  #verdict: RunVerdict | undefined;

  /** Undefined as long as the run goes on. */
  get verdict(): RunVerdict | undefined {
    return this.#verdict;
  }

  /** Settles with the verdict. */
  get decided(): Promise<RunVerdict> {
    return this.#decided.promise;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The first verdict counts; false for any later one. */
  decide(verdict: RunVerdict): boolean {
    if (this.#verdict !== undefined) return false;
    this.#verdict = verdict;
    const over = runOver();
    for (const reject of this.#waiting) reject(over);
    this.#waiting.clear();
    this.#decided.resolve(verdict);
    this.#abort.abort(over);
    return true;
  }

  /**
   * Settles as `work` does, or rejects `RUN_OVER` as soon as the end is decided. Leaves nothing behind: a
   * `Promise.race` against {@link decided} would keep a reaction for every event of a long run.
   */
  guard<T>(work: Promise<T>): Promise<T> {
    return quiet(
      new Promise<T>((resolve, reject) => {
        if (this.#verdict !== undefined) {
          reject(runOver());
          return;
        }
        this.#waiting.add(reject);
        work.then(
          (value) => {
            this.#waiting.delete(reject);
            resolve(value);
          },
          (reason: unknown) => {
            this.#waiting.delete(reject);
            reject(reason);
          },
        );
      }),
    );
  }
}

/** How often what happened: so that one can see what the seeds really try. */
export class Tally {
  readonly #counts = new Map<string, number>();

  count(what: string, times = 1): void {
    if (times > 0) this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }

  /** Adds another's counts. */
  add(other: Tally | readonly (readonly [string, number])[]): void {
    for (const [what, times] of other instanceof Tally ? other.entries() : other) this.count(what, times);
  }

  /** In alphabetical order. */
  entries(): readonly (readonly [string, number])[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

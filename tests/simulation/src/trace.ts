import { hashText } from './prng.js';

/** One thing that happened. */
export interface TraceLine {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
}

/**
 * What happened in one seed: always as a hash, so that two runs can be compared; as lines when somebody wants to
 * read them.
 */
export class Trace {
  readonly #lines: TraceLine[] | undefined;
  readonly #labels = new Map<string, number>();
  #hash = 0x811c9dc5;

  constructor(options: { readonly keepLines: boolean }) {
    this.#lines = options.keepLines ? [] : undefined;
  }

  get isKept(): boolean {
    return this.#lines !== undefined;
  }

  get lines(): readonly TraceLine[] {
    return this.#lines ?? [];
  }

  /** Equal for equal runs. */
  get hash(): number {
    return this.#hash >>> 0;
  }

  /** Mixes a fact into the hash. */
  mix(fact: number | string): void {
    this.#hash = Math.imul(this.#hash ^ (typeof fact === 'number' ? fact : this.#labelOf(fact)), 0x01000193);
  }

  /** Notes what a reader wants to see. `what` is called only when lines are kept. */
  note(atMs: number, who: string, what: () => string): void {
    this.#lines?.push({ atMs, who, what: what() });
  }

  /** The lines as text, one each: time in seconds, who, what. Ids are numbered by kind: `run 1`, `con 7`. */
  format(): string {
    const width = Math.max(0, ...this.lines.map(({ who }) => who.length));
    const names = createNames();
    return this.lines
      .map(
        ({ atMs, who, what }) =>
          `${(atMs / 1_000).toFixed(4).padStart(10)}  ${who.padEnd(width)}  ${names(what)}`,
      )
      .join('\n');
  }

  /** A label is hashed once: there are few of them, and each is noted thousands of times. */
  #labelOf(label: string): number {
    const known = this.#labels.get(label);
    if (known !== undefined) return known;
    const hash = hashText(label);
    this.#labels.set(label, hash);
    return hash;
  }
}

const ID = /\b([a-z]{3})_[0-9a-z]{22}(?:_[0-9a-z]{22})?\b/g;

/** Puts short names in the place of ids. */
function createNames(): (text: string) => string {
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  return (text) =>
    text.replace(ID, (id, kind: string) => {
      const known = names.get(id);
      if (known !== undefined) return known;
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      names.set(id, `${kind} ${count}`);
      return `${kind} ${count}`;
    });
}

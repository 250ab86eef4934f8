/** How long a thing is remembered at least after its last append, by the monotonic clock. */
const REMEMBERED_MS = 24 * 60 * 60 * 1_000;

/**
 * How many things are remembered per user at most. A user's commands alone may be 86,400 in 24 hours, by their
 * limit of 60 a minute; beyond this the longest unused are forgotten early.
 */
const MAX_REMEMBERED = 100_000;

interface Entry<V> {
  value: V;
  lastSeq: number;
  touchedAtMs: number;
}

/** When something was used: the last `seq` it appended, and the monotonic time. */
export interface Touch {
  readonly lastSeq: number;
  readonly nowMs: number;
}

/**
 * A map that forgets what has not been used for 24 hours and whose last event can no longer be read. Entries
 * stand in the order of their last use, hence by time and by `seq` alike, so forgetting looks at the front
 * alone.
 */
export class Remembered<K, V> {
  /** Made when first needed: an empty map takes more memory than the rest of an idle user. */
  #entries: Map<K, Entry<V>> | undefined;
  readonly #max: number;
  /** Used last, so that it stands at the end already: mostly the one that is used next. */
  #lastKey: K | undefined;
  #last: Entry<V> | undefined;

  constructor(max: number = MAX_REMEMBERED) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries?.size ?? 0;
  }

  has(key: K): boolean {
    return this.#entries?.has(key) === true;
  }

  get(key: K): V | undefined {
    return this.#entries?.get(key)?.value;
  }

  set(key: K, value: V, { lastSeq, nowMs }: Touch): void {
    const last = key === this.#lastKey ? this.#last : undefined;
    if (last !== undefined) {
      last.value = value;
      last.lastSeq = lastSeq;
      last.touchedAtMs = nowMs;
      return;
    }
    this.#entries ??= new Map();
    this.#entries.delete(key);
    this.#last = { value, lastSeq, touchedAtMs: nowMs };
    this.#lastKey = key;
    this.#entries.set(key, this.#last);
    if (this.#entries.size <= this.#max) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  delete(key: K): void {
    if (this.#entries?.delete(key) !== true || key !== this.#lastKey) return;
    this.#lastKey = undefined;
    this.#last = undefined;
  }

  /** Everything remembered, the longest unused first. */
  *entries(): Iterable<readonly [K, V, Touch]> {
    for (const [key, { value, lastSeq, touchedAtMs }] of this.#entries ?? []) {
      yield [key, value, { lastSeq, nowMs: touchedAtMs }];
    }
  }

  forget(firstSeq: number, nowMs: number): void {
    for (const [key, entry] of this.#entries ?? []) {
      if (entry.lastSeq >= firstSeq || nowMs - entry.touchedAtMs < REMEMBERED_MS) return;
      this.#entries?.delete(key);
    }
    this.#entries = undefined;
    this.#lastKey = undefined;
    this.#last = undefined;
  }
}

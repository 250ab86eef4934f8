/** What an agenda orders. */
export interface Dated {
  readonly atMs: number;
  /** Decides between entries of one instant. */
  readonly tie: number;
}

/** A binary heap: the earliest entry first. */
export class Agenda<T extends Dated> {
  readonly #heap: T[] = [];

  get size(): number {
    return this.#heap.length;
  }

  get first(): T | undefined {
    return this.#heap[0];
  }

  push(entry: T): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as T;
      if (!isBefore(entry, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = entry;
  }

  pop(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first !== undefined && last !== undefined && heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(entry: T): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && isBefore(heap[down + 1] as T, heap[down] as T)) down += 1;
      const child = heap[down] as T;
      if (!isBefore(child, entry)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = entry;
  }
}

function isBefore(a: Dated, b: Dated): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie);
}

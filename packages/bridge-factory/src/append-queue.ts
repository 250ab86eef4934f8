import type { Deferred } from '@runwire/kernel';
import type { EventDraft } from '@runwire/protocol';

/** An event, or a place for one, on its way to an append. */
export interface QueueItem {
  /** Undefined while its place is held. */
  draft: EventDraft | undefined;
  bytes: number;
  /** Made when somebody waits for it. */
  done: Deferred<void> | undefined;
}

/** What goes together in one append. */
export interface Batch {
  readonly drafts: readonly EventDraft[];
  readonly bytes: number;
  /** Who waits for one of its events. */
  readonly waiting: readonly Deferred<void>[];
}

/** Keeps an append far below what any log takes at once; bytes are the limit that counts. */
const MAX_DRAFTS = 1_024;
const NOBODY: readonly never[] = Object.freeze([]);

/** What one run has emitted and not appended, in order. */
export class AppendQueue {
  readonly #maxBatchBytes: number;
  #items: QueueItem[] = [];

  constructor(maxBatchBytes: number) {
    this.#maxBatchBytes = maxBatchBytes;
  }

  /** Whether the first event may be appended: there is one, and its place is not held. */
  get isReady(): boolean {
    return this.#items[0]?.draft !== undefined;
  }

  get length(): number {
    return this.#items.length;
  }

  at(index: number): QueueItem | undefined {
    return this.#items[index];
  }

  /** -1 for what has gone. */
  indexOf(item: QueueItem): number {
    return this.#items.indexOf(item);
  }

  push(item: QueueItem): void {
    // A list of exactly one: `push` would make room for sixteen more.
    if (this.#items.length === 0) this.#items = [item];
    else this.#items.push(item);
  }

  remove(index: number): void {
    this.#items.splice(index, 1);
  }

  /** Takes everything. */
  takeAll(): readonly QueueItem[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  /** Takes what goes together: up to the limits, and to the first held place. */
  takeBatch(): Batch {
    let bytes = 0;
    let end = 0;
    for (const item of this.#items) {
      bytes += item.bytes;
      const isOver = bytes > this.#maxBatchBytes || end >= MAX_DRAFTS;
      if (item.draft === undefined || (end > 0 && isOver)) break;
      end += 1;
    }
    return batchOf(end < this.#items.length ? this.#items.splice(0, end) : this.takeAll());
  }
}

/** Events come singly or in hundreds: for one alone the lists are made as long as they are. */
function batchOf(items: readonly QueueItem[]): Batch {
  const [alone] = items;
  if (items.length === 1 && alone?.draft !== undefined) {
    const { draft, bytes, done } = alone;
    return { drafts: [draft], bytes, waiting: done === undefined ? NOBODY : [done] };
  }
  const drafts: EventDraft[] = [];
  const waiting: Deferred<void>[] = [];
  let bytes = 0;
  for (const item of items) {
    if (item.draft !== undefined) drafts.push(item.draft);
    if (item.done !== undefined) waiting.push(item.done);
    bytes += item.bytes;
  }
  return { drafts, bytes, waiting };
}

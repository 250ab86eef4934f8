import type { EventData } from '@runwire/protocol';

/** Which parts belong together: those of one kind of one message, or of one tool call's input. */
export interface PartScope extends Pick<EventData<'agent_delta'>, 'messageId' | 'kind'> {
  readonly toolCallId?: string | undefined;
}

const NONE: ReadonlyMap<number, string> = new Map();

/**
 * The parts of one scope, each known by its index in the order of their first deltas. Numbers in arrays, because an
 * answer may have thousands of parts, which as objects are most of what a run keeps alive; and no map as long as
 * each new part has the next number, as nearly all have. Saves a tenth of an event that comes alone.
 */
export class PartTable {
  readonly scope: PartScope;
  /** UTF-16 units that went, by index. */
  readonly offsets: number[] = [];
  /** When the last ones went, by index; monotonic. */
  readonly wentAtMs: number[] = [];
  /** Half a surrogate pair at the end of what came, until its other half comes; by part. */
  halves: ReadonlyMap<number, string> = NONE;
  #first = 0;
  /** By part, once they came in another order. */
  #indexes: Map<number, number> | undefined;

  constructor(scope: PartScope) {
    this.scope = scope;
  }

  /** Whether these are the parts of the same scope. */
  isOf({ messageId, kind, toolCallId }: PartScope): boolean {
    const { scope } = this;
    return scope.messageId === messageId && scope.kind === kind && scope.toolCallId === toolCallId;
  }

  /** The index of a part; undefined for one that is not known. */
  find(part: number): number | undefined {
    if (this.#indexes !== undefined) return this.#indexes.get(part);
    const index = part - this.#first;
    return this.offsets[index] === undefined ? undefined : index;
  }

  /** Adds a part that is not known; returns its index. */
  add(part: number): number {
    const index = this.offsets.length;
    if (index === 0) this.#first = part;
    else if (part !== this.#first + index) this.#indexes ??= this.#inOrder();
    this.#indexes?.set(part, index);
    this.offsets.push(0);
    this.wentAtMs.push(Number.NEGATIVE_INFINITY);
    return index;
  }

  setHalf(part: number, half: string): void {
    if (half === (this.halves.get(part) ?? '')) return;
    const halves = new Map(this.halves);
    if (half === '') halves.delete(part);
    else halves.set(part, half);
    this.halves = halves;
  }

  #inOrder(): Map<number, number> {
    return new Map(this.offsets.map((_, index) => [this.#first + index, index]));
  }
}

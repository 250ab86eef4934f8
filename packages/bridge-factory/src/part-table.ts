import type { EventData } from '@runwire/protocol';

/** Which parts belong together: those of one kind of one message, or of one tool call's input. */
export interface PartScope extends Pick<EventData<'agent_delta'>, 'messageId' | 'kind'> {
  readonly toolCallId?: string | undefined;
}

const NONE: ReadonlyMap<number, string> = new Map();
/** Room is made for so many parts first; it doubles when it is full. */
const FIRST_ROOM = 4;

/**
 * The parts of one scope, each known by its index in the order of their first deltas. An answer may have thousands of
 * parts: bytes that no garbage collector looks at, and no map as long as each new part has the next number, as nearly
 * all have. Saves a tenth of an event that comes alone.
 */
export class PartTable {
  readonly scope: PartScope;
  /** Half a surrogate pair at the end of what came, until its other half comes; by part. */
  halves: ReadonlyMap<number, string> = NONE;
  /** UTF-16 units that went, by index. */
  #offsets = new Float64Array(FIRST_ROOM);
  /** When the last ones went, by index; monotonic. */
  #wentAtMs = new Float64Array(FIRST_ROOM);
  #count = 0;
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
    return index >= 0 && index < this.#count && Number.isInteger(index) ? index : undefined;
  }

  /** Adds a part that is not known; returns its index. */
  add(part: number): number {
    const index = this.#count;
    if (index === 0) this.#first = part;
    else if (part !== this.#first + index) this.#indexes ??= this.#inOrder();
    this.#indexes?.set(part, index);
    if (index === this.#offsets.length) this.#grow();
    this.#wentAtMs[index] = Number.NEGATIVE_INFINITY;
    this.#count += 1;
    return index;
  }

  /** When the last of the part at `index` went: never, to begin with. */
  wentAtMs(index: number): number {
    return this.#wentAtMs[index] ?? Number.NEGATIVE_INFINITY;
  }

  /** So many units more of the part at `index` go now. Returns how many went before. */
  advance(index: number, units: number, nowMs: number): number {
    const offset = this.#offsets[index] ?? 0;
    this.#offsets[index] = offset + units;
    this.#wentAtMs[index] = nowMs;
    return offset;
  }

  setHalf(part: number, half: string): void {
    if (half === (this.halves.get(part) ?? '')) return;
    const halves = new Map(this.halves);
    if (half === '') halves.delete(part);
    else halves.set(part, half);
    this.halves = halves;
  }

  #grow(): void {
    const room = 2 * this.#count;
    const offsets = this.#offsets;
    const wentAtMs = this.#wentAtMs;
    this.#offsets = new Float64Array(room);
    this.#offsets.set(offsets);
    this.#wentAtMs = new Float64Array(room);
    this.#wentAtMs.set(wentAtMs);
  }

  #inOrder(): Map<number, number> {
    return new Map(Array.from({ length: this.#count }, (_, index) => [this.#first + index, index]));
  }
}

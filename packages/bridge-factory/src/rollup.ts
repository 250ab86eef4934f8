import type { EventData } from '@runwire/protocol';
import { endsInsidePair, MAX_UNIT_BYTES, splitText, textBytes } from './delta-text.js';
import { type PartScope, PartTable } from './part-table.js';

/** A delta without its offset. */
export type DeltaPiece = Omit<EventData<'agent_delta'>, 'offset'>;

/** A delta ready to be appended. */
export type DeltaData = EventData<'agent_delta'>;

/** How deltas are gathered. */
export interface RollupOptions {
  readonly rollupWindowMs: number;
  readonly maxDeltaTextBytes: number;
  /** How many parts are known at most, each with its offset, until the run ends. */
  readonly maxParts: number;
}

const NOTHING: readonly DeltaData[] = Object.freeze([]);

/**
 * Gathers the deltas of one run. Pure state; time comes in as an argument, and what is to be appended goes
 * out as a result, in order.
 *
 * A delta goes at once when none of its part went within the window; else it waits for the window's end, for
 * as much text as a delta may hold, or for the next other event of the run, a delta of another part included.
 * So at most one part ever waits: that of the last delta.
 */
export class Rollup {
  readonly #options: RollupOptions;
  /** A text of so many UTF-16 units needs no cutting. */
  readonly #maxWholeUnits: number;
  readonly #scopes = new Map<string, PartTable>();
  #knownParts = 0;
  /** The part of the last delta. */
  #parts: PartTable | undefined;
  /** Compared only while there is a last delta. Not NaN: then each number of a part would be an object. */
  #part = -1;
  #index = 0;
  #isWaiting = false;
  #texts: string[] = [];
  #bytes = 0;

  constructor(options: RollupOptions) {
    this.#options = options;
    this.#maxWholeUnits = options.maxDeltaTextBytes / MAX_UNIT_BYTES;
  }

  /** When what waits must go; undefined when nothing waits. */
  get dueAtMs(): number | undefined {
    if (!this.#isWaiting || this.#parts === undefined) return undefined;
    return this.#parts.wentAtMs(this.#index) + this.#options.rollupWindowMs;
  }

  /**
   * Takes a delta; gives what is to be appended now. Undefined: one part too many, and nothing was taken. One delta alone
   * comes as it is, not in a list: a tenth of an event in a burst.
   */
  add(piece: DeltaPiece, nowMs: number): DeltaData | readonly DeltaData[] | undefined {
    const isSame = this.#part === piece.part && this.#parts?.isOf(piece) === true;
    if (!isSame && !this.#mayKnow(piece)) return undefined;
    const before = isSame ? NOTHING : this.flush(nowMs);
    const parts = this.#moveTo(piece, piece.part);
    const text = takeHalf(parts, piece);
    if (text === '') return before;
    const isDue = nowMs - parts.wentAtMs(this.#index) >= this.#options.rollupWindowMs;
    if (isDue && !this.#isWaiting && text.length <= this.#maxWholeUnits) {
      const delta = this.#go(parts, text, nowMs);
      return before.length === 0 ? delta : [...before, delta];
    }
    this.#wait(text, textBytes(text));
    if (isDue) return [...before, ...this.flush(nowMs)];
    return this.#bytes < this.#options.maxDeltaTextBytes ? before : [...before, ...this.#goFull(nowMs)];
  }

  /** What waits, to be appended now: before another event, or at the end of the window. */
  flush(nowMs: number): readonly DeltaData[] {
    const parts = this.#parts;
    if (!this.#isWaiting || parts === undefined) return NOTHING;
    const pieces = splitText(this.#takeText(), this.#options.maxDeltaTextBytes);
    return pieces.map((piece) => this.#go(parts, piece, nowMs));
  }

  /** Everything, at the end of the run: also halves of surrogate pairs whose other half never came. */
  finish(nowMs: number): readonly DeltaData[] {
    const deltas = [...this.flush(nowMs)];
    for (const parts of this.#scopes.values()) {
      for (const [part, half] of parts.halves) {
        this.#moveTo(parts.scope, part);
        deltas.push(this.#go(parts, half, nowMs));
        parts.setHalf(part, '');
      }
    }
    return deltas;
  }

  /** The full deltas of what waits; the rest begins to wait anew. */
  #goFull(nowMs: number): readonly DeltaData[] {
    const parts = this.#parts;
    if (parts === undefined) return NOTHING;
    const pieces = splitText(this.#takeText(), this.#options.maxDeltaTextBytes);
    const last = pieces.at(-1) ?? '';
    const isLastFull = textBytes(last) >= this.#options.maxDeltaTextBytes;
    const full = isLastFull ? pieces : pieces.slice(0, -1);
    if (!isLastFull) this.#wait(last, textBytes(last));
    return full.map((piece) => this.#go(parts, piece, nowMs));
  }

  #wait(text: string, bytes: number): void {
    this.#isWaiting = true;
    this.#texts.push(text);
    this.#bytes += bytes;
  }

  #takeText(): string {
    const text = this.#texts.join('');
    this.#isWaiting = false;
    this.#texts = [];
    this.#bytes = 0;
    return text;
  }

  /** Of the last delta's part. */
  #go(parts: PartTable, text: string, nowMs: number): DeltaData {
    const offset = parts.advance(this.#index, text.length, nowMs);
    const { messageId, kind, toolCallId } = parts.scope;
    const part = this.#part;
    if (toolCallId === undefined) return { messageId, part, kind, offset, text };
    return { messageId, part, kind, offset, text, toolCallId };
  }

  #mayKnow(piece: DeltaPiece): boolean {
    return this.#knownParts < this.#options.maxParts || this.#scopeOf(piece)?.find(piece.part) !== undefined;
  }

  #moveTo(scope: PartScope, part: number): PartTable {
    let parts = this.#scopeOf(scope);
    if (parts === undefined) {
      const { messageId, kind, toolCallId } = scope;
      parts = new PartTable({ messageId, kind, toolCallId });
      this.#scopes.set(keyOf(scope), parts);
    }
    let index = parts.find(part);
    if (index === undefined) {
      index = parts.add(part);
      this.#knownParts += 1;
    }
    this.#parts = parts;
    this.#part = part;
    this.#index = index;
    return parts;
  }

  /** The next delta is nearly always of the same scope. */
  #scopeOf(scope: PartScope): PartTable | undefined {
    return this.#parts?.isOf(scope) === true ? this.#parts : this.#scopes.get(keyOf(scope));
  }
}

function keyOf({ messageId, kind, toolCallId }: PartScope): string {
  return `${messageId} ${kind} ${toolCallId ?? ''}`;
}

/** The whole characters that a delta brings, with what was missing of its part's last one. */
function takeHalf(parts: PartTable, { part, text }: DeltaPiece): string {
  const whole = (parts.halves.get(part) ?? '') + text;
  const half = endsInsidePair(whole) ? whole.slice(-1) : '';
  parts.setHalf(part, half);
  return half === '' ? whole : whole.slice(0, -1);
}

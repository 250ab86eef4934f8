import type { EventData } from '@runwire/protocol';
import { endsInsidePair, MAX_UNIT_BYTES, splitText, textBytes } from './delta-text.js';

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

/** The parts of one kind of one message, or of one tool call's input. */
interface PartGroup {
  readonly messageId: string;
  readonly kind: DeltaPiece['kind'];
  readonly toolCallId: string | undefined;
  readonly parts: Map<number, PartState>;
}

/** One part, as far as it was emitted. */
interface PartState {
  readonly group: PartGroup;
  readonly part: number;
  /** UTF-16 units that went. */
  offset: number;
  wentAtMs: number;
  /** Half a surrogate pair at the end of what came, until its other half comes. */
  half: string;
}

/**
 * Gathers the deltas of one run. Pure state; time comes in as an argument, and what is to be appended goes
 * out as a result, in order.
 *
 * A delta goes at once when none of its part went within the window; else it waits for the window's end, for
 * as much text as a delta may hold, or for the next other event of the run, a delta of another part included.
 * So at most one part ever waits.
 */
export class Rollup {
  readonly #options: RollupOptions;
  /** A text of so many UTF-16 units needs no cutting. */
  readonly #maxWholeUnits: number;
  readonly #groups = new Map<string, PartGroup>();
  #parts = 0;
  /** The group of the last delta: the next one is nearly always of the same. */
  #group: PartGroup | undefined;
  #waiting: PartState | undefined;
  #texts: string[] = [];
  #bytes = 0;

  constructor(options: RollupOptions) {
    this.#options = options;
    this.#maxWholeUnits = options.maxDeltaTextBytes / MAX_UNIT_BYTES;
  }

  /** When what waits must go; undefined when nothing waits. */
  get dueAtMs(): number | undefined {
    return this.#waiting === undefined ? undefined : this.#waiting.wentAtMs + this.#options.rollupWindowMs;
  }

  /** Takes a delta; gives what is to be appended now. Undefined: one part too many, and nothing was taken. */
  add(piece: DeltaPiece, nowMs: number): readonly DeltaData[] | undefined {
    const part = this.#partOf(piece);
    if (part === undefined) return undefined;
    const before = this.#waiting === part ? NOTHING : this.flush(nowMs);
    let text = part.half + piece.text;
    part.half = endsInsidePair(text) ? text.slice(-1) : '';
    if (part.half !== '') text = text.slice(0, -1);
    if (text === '') return before;
    const isDue = nowMs - part.wentAtMs >= this.#options.rollupWindowMs;
    if (isDue && this.#waiting === undefined && text.length <= this.#maxWholeUnits) {
      return before.length === 0 ? [this.#go(part, text, nowMs)] : [...before, this.#go(part, text, nowMs)];
    }
    this.#waiting = part;
    this.#texts.push(text);
    this.#bytes += textBytes(text);
    if (isDue) return [...before, ...this.flush(nowMs)];
    return this.#bytes < this.#options.maxDeltaTextBytes ? before : [...before, ...this.#goFull(nowMs)];
  }

  /** What waits, to be appended now: before another event, or at the end of the window. */
  flush(nowMs: number): readonly DeltaData[] {
    const part = this.#waiting;
    if (part === undefined) return NOTHING;
    const text = this.#takeText();
    return splitText(text, this.#options.maxDeltaTextBytes).map((piece) => this.#go(part, piece, nowMs));
  }

  /** Everything, at the end of the run: also halves of surrogate pairs whose other half never came. */
  finish(nowMs: number): readonly DeltaData[] {
    const deltas = [...this.flush(nowMs)];
    for (const { parts } of this.#groups.values()) {
      for (const part of parts.values()) {
        if (part.half !== '') deltas.push(this.#go(part, part.half, nowMs));
        part.half = '';
      }
    }
    return deltas;
  }

  /** The full deltas of what waits; the rest begins to wait anew. */
  #goFull(nowMs: number): readonly DeltaData[] {
    const part = this.#waiting;
    if (part === undefined) return NOTHING;
    const pieces = splitText(this.#takeText(), this.#options.maxDeltaTextBytes);
    const last = pieces.at(-1) ?? '';
    const isLastFull = textBytes(last) >= this.#options.maxDeltaTextBytes;
    const full = isLastFull ? pieces : pieces.slice(0, -1);
    if (!isLastFull) {
      this.#waiting = part;
      this.#texts.push(last);
      this.#bytes = textBytes(last);
    }
    return full.map((piece) => this.#go(part, piece, nowMs));
  }

  #takeText(): string {
    const text = this.#texts.join('');
    this.#waiting = undefined;
    this.#texts = [];
    this.#bytes = 0;
    return text;
  }

  #go(part: PartState, text: string, nowMs: number): DeltaData {
    const { offset } = part;
    part.offset += text.length;
    part.wentAtMs = nowMs;
    const { messageId, kind, toolCallId } = part.group;
    const data = { messageId, part: part.part, kind, offset, text };
    return toolCallId === undefined ? data : { ...data, toolCallId };
  }

  #partOf(piece: DeltaPiece): PartState | undefined {
    const group = this.#groupOf(piece);
    const known = group.parts.get(piece.part);
    if (known !== undefined) return known;
    if (this.#parts >= this.#options.maxParts) return undefined;
    this.#parts += 1;
    const part = { group, part: piece.part, offset: 0, wentAtMs: Number.NEGATIVE_INFINITY, half: '' };
    group.parts.set(piece.part, part);
    return part;
  }

  #groupOf({ messageId, kind, toolCallId }: DeltaPiece): PartGroup {
    const last = this.#group;
    if (last?.messageId === messageId && last.kind === kind && last.toolCallId === toolCallId) return last;
    const key = `${messageId} ${kind} ${toolCallId ?? ''}`;
    const group = this.#groups.get(key) ?? { messageId, kind, toolCallId, parts: new Map() };
    this.#groups.set(key, group);
    this.#group = group;
    return group;
  }
}

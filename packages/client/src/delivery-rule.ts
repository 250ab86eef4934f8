import type { Cursor, RunwireEvent, RunwireEventOf } from '@runwire/protocol/wire';
import { createPartLengths, type PartLengths } from './part-lengths.js';

/** All of exactly-once (protocol §6), without time or I/O. */
export interface DeliveryRule {
  /** The last event judged to be applied; undefined before the stream's position is known. */
  readonly cursor: Cursor | undefined;
  /** Starts over at `cursor`; what was known of answers under way is forgotten. */
  restart(cursor: Cursor): void;
  /**
   * Judges the next event received: comes back to be applied (a delta that overlaps cut to what is new), and
   * the cursor moves, or is to be dropped, known already or behind a gap.
   */
  judge(event: RunwireEvent): RunwireEvent | 'duplicate' | 'gap';
  /** The server says that it sent everything up to `seq`. True if some of it is missing. */
  misses(seq: number): boolean;
}

/** What the rule counts: events that came again, and gaps, each once until an event continues. */
export interface RuleCounts {
  duplicates: number;
  gaps: number;
}

/** Creates the rule of one client. */
export function createDeliveryRule(cursor: Cursor | undefined, counts: RuleCounts): DeliveryRule {
  return new SequenceRule(cursor, counts);
}

class SequenceRule implements DeliveryRule {
  cursor: Cursor | undefined;
  readonly #counts: RuleCounts;
  readonly #parts: PartLengths = createPartLengths();
  #gapOpen = false;

  constructor(cursor: Cursor | undefined, counts: RuleCounts) {
    this.cursor = cursor;
    this.#counts = counts;
  }

  restart(cursor: Cursor): void {
    this.cursor = cursor;
    this.#gapOpen = false;
    this.#parts.clear();
  }

  judge(event: RunwireEvent): RunwireEvent | 'duplicate' | 'gap' {
    const { cursor } = this;
    if (cursor === undefined) return this.#gap();
    const { seq, id, from = seq, type } = event;
    if (seq <= cursor.seq) {
      this.#counts.duplicates += 1;
      return 'duplicate';
    }
    if (from > cursor.seq + 1) return this.#gap();
    const fresh = type === 'agent_delta' ? this.#cut(event) : event;
    if (fresh === undefined) return this.#gap();
    if (type === 'agent_started') this.#parts.begin(event.data.messageId);
    if (type === 'agent_completed') this.#parts.end(event.data.messageId);
    this.cursor = { epoch: cursor.epoch, seq, id };
    this.#gapOpen = false;
    return fresh;
  }

  misses(seq: number): boolean {
    if (this.cursor === undefined || seq <= this.cursor.seq) return false;
    this.#gap();
    return true;
  }

  #gap(): 'gap' {
    if (!this.#gapOpen) this.#counts.gaps += 1;
    this.#gapOpen = true;
    return 'gap';
  }

  /** The delta from what is known of its part on; undefined if text before it is missing. */
  #cut(event: RunwireEventOf<'agent_delta'>): RunwireEvent | undefined {
    const { offset, text } = event.data;
    const known = this.#parts.known(event.data);
    if (known !== undefined && offset > known) return undefined;
    this.#parts.extend(event.data, offset + text.length);
    if (known === undefined || offset === known) return event;
    return { ...event, data: { ...event.data, offset: known, text: text.slice(known - offset) } };
  }
}

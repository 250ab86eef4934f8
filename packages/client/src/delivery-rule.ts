import type { Cursor, RunwireEvent, RunwireEventOf } from '@runwire/protocol';
import { createPartLengths, type PartLengths } from './part-lengths.js';

/**
 * What to do with an event (protocol §6): hand it on (a delta that overlaps comes back cut to what is new),
 * drop it as known, or drop it because something before it is missing. `first` is true once per gap.
 */
export type Verdict =
  | { readonly kind: 'apply'; readonly event: RunwireEvent }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'gap'; readonly first: boolean };

/** All of exactly-once, without time or I/O. */
export interface DeliveryRule {
  /** The last event judged `apply`; undefined before the stream's position is known. */
  readonly cursor: Cursor | undefined;
  /** Starts over at `cursor`; what was known of answers under way is forgotten. */
  restart(cursor: Cursor): void;
  /** Judges the next event received; one judged `apply` moves the cursor. */
  judge(event: RunwireEvent): Verdict;
  /** The server says that it sent everything up to `seq`. True, once per gap counted, if some of it is missing. */
  misses(seq: number): { readonly missing: boolean; readonly first: boolean };
}

/** Creates the rule of one client. */
export function createDeliveryRule(cursor: Cursor | undefined): DeliveryRule {
  return new SequenceRule(cursor);
}

class SequenceRule implements DeliveryRule {
  readonly #parts: PartLengths = createPartLengths();
  #cursor: Cursor | undefined;
  #gapOpen = false;

  constructor(cursor: Cursor | undefined) {
    this.#cursor = cursor;
  }

  get cursor(): Cursor | undefined {
    return this.#cursor;
  }

  restart(cursor: Cursor): void {
    this.#cursor = cursor;
    this.#gapOpen = false;
    this.#parts.clear();
  }

  judge(event: RunwireEvent): Verdict {
    const cursor = this.#cursor;
    if (cursor === undefined) return this.#gap();
    if (event.seq <= cursor.seq) return { kind: 'duplicate' };
    if ((event.from ?? event.seq) > cursor.seq + 1) return this.#gap();
    const fresh = event.type === 'agent_delta' ? this.#cut(event) : event;
    if (fresh === undefined) return this.#gap();
    if (event.type === 'agent_started') this.#parts.begin(event.data.messageId);
    if (event.type === 'agent_completed') this.#parts.end(event.data.messageId);
    this.#cursor = { epoch: cursor.epoch, seq: event.seq, id: event.id };
    this.#gapOpen = false;
    return { kind: 'apply', event: fresh };
  }

  misses(seq: number): { readonly missing: boolean; readonly first: boolean } {
    if (this.#cursor === undefined || seq <= this.#cursor.seq) return { missing: false, first: false };
    const first = !this.#gapOpen;
    this.#gapOpen = true;
    return { missing: true, first };
  }

  #gap(): Verdict {
    const first = !this.#gapOpen;
    this.#gapOpen = true;
    return { kind: 'gap', first };
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

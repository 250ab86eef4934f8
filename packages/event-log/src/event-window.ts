import type { EventId } from '@runwire/id-generation';
import type { EncodedEvent } from './contract.js';

/** Trimmed slots that are worth moving the rest for. */
const MIN_COMPACTED_SLOTS = 32;

/** How far a page may go. */
export interface PageLimits {
  readonly limitEvents: number;
  readonly limitBytes: number;
}

/**
 * The readable events of one stream, at consecutive `seq`: an array with an offset, so that an event is found
 * by subtraction, and trimming costs a constant per event however many are kept.
 */
export class EventWindow {
  /** Slots below `#start` are trimmed and wait for compaction. */
  #events: (EncodedEvent | undefined)[] = [];
  /** Times beside the events: an array of doubles takes 8 bytes each, a field in an object 24. */
  #ats: number[] = [];
  #start = 0;
  /** The last `seq` that cannot be read any more, and its id. */
  #baseSeq: number;
  #baseId: EventId | undefined;
  #bytes = 0;

  constructor(baseSeq: number, baseId: EventId | undefined) {
    this.#baseSeq = baseSeq;
    this.#baseId = baseId;
  }

  /** The lowest readable `seq`, `head + 1` when there is none. */
  get first(): number {
    return this.#baseSeq + 1;
  }

  get head(): number {
    return this.#baseSeq + this.count;
  }

  get count(): number {
    return this.#events.length - this.#start;
  }

  /** Of the encoded events. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the oldest readable event was appended. */
  get oldestAt(): number | undefined {
    return this.#ats[this.#start];
  }

  /** Known from `first - 1` to the head. */
  idAt(seq: number): EventId | undefined {
    return seq === this.#baseSeq ? this.#baseId : this.#events[this.#slot(seq)]?.id;
  }

  push(event: EncodedEvent, at: number): void {
    this.#events.push(event);
    this.#ats.push(at);
    this.#bytes += event.bytes;
  }

  /** The events after `seq` (`first - 1` or above) that fit both limits, at least one when there is one. */
  page(seq: number, limits: PageLimits): EncodedEvent[] {
    const page: EncodedEvent[] = [];
    let bytes = 0;
    for (let slot = this.#slot(seq + 1); ; slot += 1) {
      const event = this.#events[slot];
      if (event === undefined) return page;
      bytes += event.bytes;
      const fits = page.length < limits.limitEvents && bytes <= limits.limitBytes;
      if (!fits && page.length > 0) return page;
      page.push(event);
      // Limits that are no numbers fit nothing and still get their one event.
      if (!fits) return page;
    }
  }

  /** Drops the events below `before`, at most all of them. */
  dropBelow(before: number): void {
    for (let seq = this.first; seq < before && this.count > 0; seq += 1) this.dropFirst();
  }

  dropFirst(): void {
    const event = this.#events[this.#start];
    if (event === undefined) return;
    this.#events[this.#start] = undefined;
    this.#start += 1;
    this.#bytes -= event.bytes;
    this.#baseSeq = event.seq;
    this.#baseId = event.id;
    if (this.#start >= MIN_COMPACTED_SLOTS && this.#start * 2 >= this.#events.length) this.compact();
  }

  /** Replaces the events for which `by` returns another; settles the bytes. Returns how many. */
  replace(by: (event: EncodedEvent, at: number) => EncodedEvent | undefined): number {
    let replaced = 0;
    for (let slot = this.#start; slot < this.#events.length; slot += 1) {
      const event = this.#events[slot];
      const other = event && by(event, this.#ats[slot] ?? 0);
      if (event === undefined || other === undefined) continue;
      this.#events[slot] = other;
      this.#bytes += other.bytes - event.bytes;
      replaced += 1;
    }
    return replaced;
  }

  /** Gives back the memory of trimmed slots, and what the arrays hold in reserve for growth. */
  compact(): void {
    this.#events = this.#events.slice(this.#start);
    this.#ats = this.#ats.slice(this.#start);
    this.#start = 0;
  }

  #slot(seq: number): number {
    return this.#start + (seq - this.#baseSeq - 1);
  }
}

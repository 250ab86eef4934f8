import type { EncodedEvent, EncodedLines, PageLimits } from '@runwire/event-log';
import { PageLines } from './page-lines.js';

/** The events of one page, as they are gathered: those after a `seq`, until no more fit its limits. */
export class StoredPage {
  readonly events: EncodedEvent[] = [];
  /** The records that they stand in, with what else these hold. */
  readonly records = new PageLines();
  /** Whether no further event is wanted. */
  isFull = false;
  readonly #seq: number;
  readonly #limits: PageLimits;
  #bytes = 0;
  /** Where the first event begins and the last one ends in `records`. */
  #from = 0;
  #to = 0;

  constructor(seq: number, limits: PageLimits) {
    this.#seq = seq;
    this.#limits = limits;
  }

  /** How much more is wanted. */
  get room(): { readonly bytes: number; readonly events: number } {
    const { limitBytes, limitEvents } = this.#limits;
    return { bytes: limitBytes - this.#bytes, events: limitEvents - this.events.length };
  }

  /** Of events that are served as they were stored; undefined without events. */
  get lines(): EncodedLines | undefined {
    const bytes = this.events.length === 0 ? undefined : this.records.bytes(this.#from, this.#to);
    return bytes && { bytes, sizes: this.events.map((event) => event.bytes) };
  }

  /** Takes the next event, which stands at `from`, if it is wanted. */
  add(event: EncodedEvent, from: number): void {
    if (event.seq <= this.#seq || this.isFull) return;
    const { limitEvents, limitBytes } = this.#limits;
    const count = this.events.length;
    const bytes = this.#bytes + event.bytes;
    const fits = count < limitEvents && bytes <= limitBytes;
    // Limits that are no numbers fit nothing and still get their one event.
    this.isFull = !fits || count + 1 >= limitEvents;
    if (!fits && count > 0) return;
    this.#bytes = bytes;
    if (count === 0) this.#from = from;
    this.#to = from + event.bytes;
    this.events.push(event);
  }
}

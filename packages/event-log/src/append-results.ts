import type { EventId } from '@runwire/id-generation';
import type { AppendResult } from './contract.js';

/** Where the events of one append are. */
export type AppendPlace = Pick<AppendResult, 'firstSeq' | 'lastSeq' | 'lastId'>;

/** The least number of appends of an attempt whose results are remembered. */
export const REMEMBERED_APPENDS = 64;

/** The results of a producer's last appends. */
export class AppendResults {
  readonly #epoch: string;
  #last: AppendPlace | undefined;
  /** Those before the last; a command, and a run that has ended, have none. */
  #earlier: PlaceRing | undefined;

  constructor(epoch: string, places: Iterable<AppendPlace>) {
    this.#epoch = epoch;
    for (const place of places) this.push(place);
  }

  push({ firstSeq, lastSeq, lastId }: AppendPlace): void {
    if (this.#last !== undefined) {
      this.#earlier ??= new PlaceRing();
      this.#earlier.push(this.#last);
    }
    this.#last = { firstSeq, lastSeq, lastId };
  }

  /** The result of a repeat of the append that was `back` appends before the last. */
  repeat(back: number): AppendResult | undefined {
    const place = back === 0 ? this.#last : this.#earlier?.get(back - 1);
    return place === undefined ? undefined : { epoch: this.#epoch, ...place, duplicate: true };
  }

  /** Forgets all but the last. */
  keepLast(): void {
    this.#earlier = undefined;
  }

  /** In their order. */
  places(): readonly AppendPlace[] {
    const earlier = this.#earlier?.all() ?? [];
    return this.#last === undefined ? earlier : [...earlier, this.#last];
  }
}

/** First and last `seq`. */
const NUMBERS_OF_PLACE = 2;
/** Every event id has so many characters, all of them ASCII. */
const ID_LENGTH = 26;
/** Room is made for so many first; it doubles until it is enough for all that are remembered. */
const FIRST_ROOM = 4;

/**
 * The last places, as bytes. As objects and strings they would be most of what the garbage collector finds alive of
 * events that come singly, and moves.
 */
class PlaceRing {
  #room = FIRST_ROOM;
  #seqs = new Float64Array(FIRST_ROOM * NUMBERS_OF_PLACE);
  #ids = new Uint8Array(FIRST_ROOM * ID_LENGTH);
  /** Since the beginning. */
  #pushed = 0;

  push({ firstSeq, lastSeq, lastId }: AppendPlace): void {
    if (lastId.length !== ID_LENGTH) throw new RangeError(`An event id has ${ID_LENGTH} characters.`);
    if (this.#pushed === this.#room && this.#room < REMEMBERED_APPENDS) this.#grow();
    const slot = this.#pushed % this.#room;
    this.#seqs[slot * NUMBERS_OF_PLACE] = firstSeq;
    this.#seqs[slot * NUMBERS_OF_PLACE + 1] = lastSeq;
    const start = slot * ID_LENGTH;
    for (let at = 0; at < ID_LENGTH; at += 1) this.#ids[start + at] = lastId.charCodeAt(at);
    this.#pushed += 1;
  }

  /** The place `back` before the newest. */
  get(back: number): AppendPlace | undefined {
    if (back >= this.#count) return undefined;
    const slot = (this.#pushed - 1 - back) % this.#room;
    const id = this.#ids.subarray(slot * ID_LENGTH, (slot + 1) * ID_LENGTH);
    return {
      firstSeq: this.#seqs[slot * NUMBERS_OF_PLACE] ?? 0,
      lastSeq: this.#seqs[slot * NUMBERS_OF_PLACE + 1] ?? 0,
      lastId: String.fromCharCode(...id) as EventId,
    };
  }

  all(): readonly AppendPlace[] {
    const places: AppendPlace[] = [];
    for (let back = this.#count - 1; back >= 0; back -= 1) {
      const place = this.get(back);
      if (place !== undefined) places.push(place);
    }
    return places;
  }

  get #count(): number {
    return Math.min(this.#pushed, this.#room);
  }

  /** Before anything was overwritten, so that every slot stays where it is. */
  #grow(): void {
    const seqs = this.#seqs;
    const ids = this.#ids;
    this.#room *= 2;
    this.#seqs = new Float64Array(this.#room * NUMBERS_OF_PLACE);
    this.#seqs.set(seqs);
    this.#ids = new Uint8Array(this.#room * ID_LENGTH);
    this.#ids.set(ids);
  }
}

import type { EventId } from '@runwire/id-generation';
import type { AppendResult } from './contract.js';

/** Where the events of one append are. */
export type AppendPlace = Pick<AppendResult, 'firstSeq' | 'lastSeq' | 'lastId'>;

/**
 * The results of a producer's last appends, in their order. Numbers beside each other: as objects they would be most
 * of what the garbage collector finds alive of events that come singly.
 */
export class AppendResults {
  readonly #epoch: string;
  #firstSeqs: number[] = [];
  #lastSeqs: number[] = [];
  #lastIds: EventId[] = [];

  constructor(epoch: string, places: Iterable<AppendPlace>) {
    this.#epoch = epoch;
    for (const place of places) this.push(place);
  }

  get count(): number {
    return this.#lastSeqs.length;
  }

  push({ firstSeq, lastSeq, lastId }: AppendPlace): void {
    this.#firstSeqs.push(firstSeq);
    this.#lastSeqs.push(lastSeq);
    this.#lastIds.push(lastId);
  }

  /** The result of a repeat of the append at `index`; negative from the end. */
  repeat(index: number): AppendResult | undefined {
    const firstSeq = this.#firstSeqs.at(index);
    const lastSeq = this.#lastSeqs.at(index);
    const lastId = this.#lastIds.at(index);
    if (firstSeq === undefined || lastSeq === undefined || lastId === undefined) return undefined;
    return { epoch: this.#epoch, firstSeq, lastSeq, lastId, duplicate: true };
  }

  /** Forgets all but the last `count`. */
  keepLast(count: number): void {
    this.#firstSeqs = this.#firstSeqs.slice(-count);
    this.#lastSeqs = this.#lastSeqs.slice(-count);
    this.#lastIds = this.#lastIds.slice(-count);
  }

  places(): readonly AppendPlace[] {
    return this.#lastIds.map((lastId, index) => ({
      firstSeq: this.#firstSeqs[index] ?? 0,
      lastSeq: this.#lastSeqs[index] ?? 0,
      lastId,
    }));
  }
}

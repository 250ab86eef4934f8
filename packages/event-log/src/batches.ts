import { Buffer } from 'node:buffer';
import type { EventId } from '@runwire/id-generation';
import type { EncodedBatch, EncodedEvent, EncodedLines } from './contract.js';

const NEW_LINE = Buffer.from('\n');

/** Several batches that follow each other as one; nothing for none. */
export function joinBatches(batches: readonly EncodedBatch[]): EncodedBatch | undefined {
  const [first] = batches;
  const last = batches.at(-1);
  return first === undefined || last === undefined ? undefined : new JoinedBatch(first, last, batches);
}

/** What of a batch comes after `position`; nothing when the batch begins later. */
export function restOf(batch: EncodedBatch, position: number): EncodedBatch | undefined {
  const known = position + 1 - batch.firstSeq;
  if (known === 0) return batch;
  if (known < 0) return undefined;
  const { epoch, lastSeq, lastId } = batch;
  return { epoch, firstSeq: position + 1, lastSeq, lastId, events: batch.events.slice(known) };
}

class JoinedBatch implements EncodedBatch {
  readonly epoch: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly lastId: EventId;
  readonly #batches: readonly EncodedBatch[];

  constructor(first: EncodedBatch, last: EncodedBatch, batches: readonly EncodedBatch[]) {
    this.epoch = first.epoch;
    this.firstSeq = first.firstSeq;
    this.lastSeq = last.lastSeq;
    this.lastId = last.lastId;
    this.#batches = batches;
  }

  get events(): readonly EncodedEvent[] {
    return this.#batches.flatMap(({ events }) => events);
  }

  get lines(): EncodedLines | undefined {
    const bytes: Uint8Array[] = [];
    const sizes: number[] = [];
    for (const { lines } of this.#batches) {
      if (lines === undefined) return undefined;
      if (bytes.length > 0) bytes.push(NEW_LINE);
      bytes.push(lines.bytes);
      for (const size of lines.sizes) sizes.push(size);
    }
    return { bytes: Buffer.concat(bytes), sizes };
  }
}

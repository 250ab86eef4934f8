import { Buffer } from 'node:buffer';
import type { EncodedBatch, EncodedLines } from '@runwire/event-log';
import type { RunwireEvent } from '@runwire/protocol';
import { encodeEvent, encodeFrame } from '@runwire/protocol';

/** An event ready to be sent: one of the log, or several of them merged. */
export interface SendableEvent {
  readonly seq: number;
  readonly id: string;
  readonly json: string;
  /** UTF-8 bytes of `json`. */
  readonly bytes: number;
}

/** Encodes an event anew, now covering everything from `from` on (protocol §4, `from`). */
export function encodeCovering(event: RunwireEvent, from: number): SendableEvent {
  const { seq, id, at, ...draft } = event;
  const json = encodeEvent(draft, { seq, id, at, from });
  return { seq, id, json, bytes: Buffer.byteLength(json) };
}

/** One frame, encoded once and shared by every connection that is sent it. */
export interface EventFrame {
  readonly data: Uint8Array;
  /** The last event in it. */
  readonly seq: number;
  /** Of that event; unknown in the middle of a batch. */
  readonly id: string | undefined;
}

/** A batch as a wake carries it to all cursors of a user. Nothing is encoded until a cursor pushes it. */
export class Wake {
  readonly epoch: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Bytes of its frames, at most. */
  readonly bytes: number;
  readonly #batch: EncodedBatch;
  readonly #lines: EncodedLines | undefined;
  readonly #maxFrameBytes: number;
  #frames: readonly EventFrame[] | undefined;

  constructor(batch: EncodedBatch, maxFrameBytes: number) {
    const { lines, epoch, firstSeq, lastSeq } = batch;
    const sizes = lines?.sizes ?? sizesOf(batch.events);
    // Each event brings a comma or a bracket, and a frame has one more.
    let bytes = 2 * sizes.length;
    for (const size of sizes) bytes += size;
    this.epoch = epoch;
    this.firstSeq = firstSeq;
    this.lastSeq = lastSeq;
    this.bytes = bytes;
    this.#batch = batch;
    this.#lines = lines;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Encoded with the first call; every later one is given the same. */
  frames(): readonly EventFrame[] {
    this.#frames ??= this.#pack();
    return this.#frames;
  }

  #pack(): readonly EventFrame[] {
    const { firstSeq, lastSeq, lastId } = this.#batch;
    if (this.#lines === undefined) return packFrames(this.#batch.events, this.#maxFrameBytes);
    return packLines(this.#lines, this.#maxFrameBytes, (index) => {
      const seq = firstSeq + index;
      return { seq, id: seq === lastSeq ? lastId : undefined };
    });
  }
}

/** Packs events into frames of at most `maxFrameBytes` of events, or one larger event alone (protocol §3). */
export function packFrames(events: readonly SendableEvent[], maxFrameBytes: number): readonly EventFrame[] {
  return groups(sizesOf(events), maxFrameBytes).map(({ from, to }) => {
    const group = events.slice(from, to);
    const last = group[group.length - 1];
    const data = Buffer.from(encodeFrame(group.map(({ json }) => json)));
    return { data, seq: last?.seq ?? 0, id: last?.id };
  });
}

/**
 * As `packFrames`, from bytes that are there: takes a fifth of encoding the texts again.
 *
 * @param positionOf - of the event at an index
 */
export function packLines(
  { bytes, sizes }: EncodedLines,
  maxFrameBytes: number,
  positionOf: (index: number) => Pick<EventFrame, 'seq' | 'id'>,
): readonly EventFrame[] {
  if (sizes.length === 1) return [{ data: bytes, ...positionOf(0) }];
  let start = 0;
  return groups(sizes, maxFrameBytes).map(({ from, to, bytes: groupBytes }) => {
    const end = start + groupBytes + (to - from - 1);
    const data = copyGroup(bytes.subarray(start, end), sizes, { from, to });
    start = end + 1;
    return { data, ...positionOf(to - 1) };
  });
}

const COMMA = 0x2c;
const OPENING = 0x5b;
const CLOSING = 0x5d;

function copyGroup(
  lines: Uint8Array,
  sizes: readonly number[],
  { from, to }: { readonly from: number; readonly to: number },
): Uint8Array {
  if (to - from === 1) return lines;
  const data = Buffer.allocUnsafe(lines.length + 2);
  data.set(lines, 1);
  let at = 0;
  data[at] = OPENING;
  for (let index = from; index < to; index += 1) {
    at += (sizes[index] ?? 0) + 1;
    data[at] = COMMA;
  }
  data[at] = CLOSING;
  return data;
}

/** The events of one frame. */
interface FrameGroup {
  readonly from: number;
  readonly to: number;
  /** Of the events alone. */
  readonly bytes: number;
}

function groups(sizes: readonly number[], maxFrameBytes: number): FrameGroup[] {
  const found: FrameGroup[] = [];
  let from = 0;
  let bytes = 0;
  // No iterator, which makes a pair for each: a twentieth of all the garbage of a burst.
  for (let index = 0; index < sizes.length; index += 1) {
    const size = sizes[index] ?? 0;
    if (index > from && bytes + size > maxFrameBytes) {
      found.push({ from, to: index, bytes });
      from = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < sizes.length) found.push({ from, to: sizes.length, bytes });
  return found;
}

function sizesOf(events: readonly SendableEvent[]): number[] {
  return events.map(({ bytes }) => bytes);
}

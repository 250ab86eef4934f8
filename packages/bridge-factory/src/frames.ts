import { Buffer } from 'node:buffer';
import type { EncodedBatch } from '@runwire/event-log';
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
  readonly id: string;
}

/** A batch as a wake carries it to all cursors of a user. Nothing is encoded until a cursor pushes it. */
export class Wake {
  readonly epoch: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Bytes of its frames, at most. */
  readonly bytes: number;
  readonly #batch: EncodedBatch;
  readonly #maxFrameBytes: number;
  #frames: readonly EventFrame[] | undefined;

  constructor(batch: EncodedBatch, maxFrameBytes: number) {
    const { events } = batch;
    let bytes = 0;
    // Each event brings a comma or a bracket, and a frame has one more.
    for (const event of events) bytes += event.bytes + 2;
    this.epoch = batch.epoch;
    this.firstSeq = events[0]?.seq ?? 1;
    this.lastSeq = this.firstSeq + events.length - 1;
    this.bytes = bytes;
    this.#batch = batch;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Encoded with the first call; every later one is given the same. */
  frames(): readonly EventFrame[] {
    this.#frames ??= packFrames(this.#batch.events, this.#maxFrameBytes, this.#batch.lines);
    return this.#frames;
  }
}

/**
 * Packs events into frames of at most `maxFrameBytes` of events, or one larger event alone (protocol §3).
 *
 * @param lines - what the events are in UTF-8, one line each, if it is at hand
 */
export function packFrames(
  events: readonly SendableEvent[],
  maxFrameBytes: number,
  lines?: Uint8Array,
): readonly EventFrame[] {
  const [alone] = events;
  if (lines !== undefined && alone !== undefined && events.length === 1) {
    return [{ data: lines, seq: alone.seq, id: alone.id }];
  }
  let start = 0;
  return groups(events, maxFrameBytes).map(({ from, to, bytes }) => {
    const group = events.slice(from, to);
    const last = group[group.length - 1];
    const end = start + bytes + group.length - 1;
    const data = lines === undefined ? encodeGroup(group) : copyGroup(group, lines.subarray(start, end));
    start = end + 1;
    return { data, seq: last?.seq ?? 0, id: last?.id ?? '' };
  });
}

function encodeGroup(group: readonly SendableEvent[]): Uint8Array {
  return Buffer.from(encodeFrame(group.map(({ json }) => json)));
}

const COMMA = 0x2c;
const OPENING = 0x5b;
const CLOSING = 0x5d;

/** As `encodeGroup`, from bytes that are there: takes a fifth of encoding the texts again. */
function copyGroup(group: readonly SendableEvent[], lines: Uint8Array): Uint8Array {
  if (group.length === 1) return lines;
  const data = Buffer.allocUnsafe(lines.length + 2);
  data.set(lines, 1);
  let at = 0;
  data[at] = OPENING;
  for (const { bytes } of group) {
    at += bytes + 1;
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

function groups(events: readonly SendableEvent[], maxFrameBytes: number): FrameGroup[] {
  const found: FrameGroup[] = [];
  let from = 0;
  let bytes = 0;
  for (const [index, event] of events.entries()) {
    if (index > from && bytes + event.bytes > maxFrameBytes) {
      found.push({ from, to: index, bytes });
      from = index;
      bytes = 0;
    }
    bytes += event.bytes;
  }
  if (from < events.length) found.push({ from, to: events.length, bytes });
  return found;
}

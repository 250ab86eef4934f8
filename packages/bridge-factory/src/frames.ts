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

/** A batch as a wake carries it to all cursors of a user. */
export interface Wake {
  readonly epoch: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Bytes of its frames, at most. */
  readonly bytes: number;
  /** Encodes the frames with the first call; every later one is given the same. */
  frames(): readonly EventFrame[];
}

/** Prepares a batch. Nothing is encoded until a cursor pushes it. */
export function createWake(batch: EncodedBatch, maxFrameBytes: number): Wake | undefined {
  const { epoch, events, lines } = batch;
  const [first] = events;
  if (first === undefined) return undefined;
  let frames: readonly EventFrame[] | undefined;
  let bytes = 0;
  // Each event brings a comma or a bracket, and a frame has one more.
  for (const event of events) bytes += event.bytes + 2;
  return {
    epoch,
    firstSeq: first.seq,
    lastSeq: first.seq + events.length - 1,
    bytes,
    frames() {
      frames ??=
        lines === undefined ? packFrames(events, maxFrameBytes) : copyFrames(events, lines, maxFrameBytes);
      return frames;
    },
  };
}

/** Packs events into frames of at most `maxFrameBytes` of events, or one larger event alone (protocol §3). */
export function packFrames(events: readonly SendableEvent[], maxFrameBytes: number): readonly EventFrame[] {
  return groups(events, maxFrameBytes).map(({ from, to, last }) => {
    const group = events.slice(from, to).map(({ json }) => json);
    return { data: Buffer.from(encodeFrame(group)), seq: last.seq, id: last.id };
  });
}

const COMMA = 0x2c;
const OPENING = 0x5b;
const CLOSING = 0x5d;

/**
 * As `packFrames`, from the bytes that the log has written: copying them takes a fifth of encoding the texts again.
 *
 * @param lines - what the events are in UTF-8, one line each
 */
function copyFrames(
  events: readonly SendableEvent[],
  lines: Uint8Array,
  maxFrameBytes: number,
): readonly EventFrame[] {
  let start = 0;
  return groups(events, maxFrameBytes).map(({ from, to, bytes, last }) => {
    const count = to - from;
    const end = start + bytes + count - 1;
    const data = count === 1 ? lines.subarray(start, end) : Buffer.allocUnsafe(end - start + 2);
    if (count > 1) {
      data.set(lines.subarray(start, end), 1);
      data[0] = OPENING;
      for (let index = from, at = 1; index < to; index += 1) {
        at += events[index]?.bytes ?? 0;
        data[at] = index < to - 1 ? COMMA : CLOSING;
        at += 1;
      }
    }
    start = end + 1;
    return { data, seq: last.seq, id: last.id };
  });
}

/** The events of one frame. */
interface FrameGroup {
  readonly from: number;
  readonly to: number;
  /** Of the events alone. */
  readonly bytes: number;
  readonly last: SendableEvent;
}

function groups(events: readonly SendableEvent[], maxFrameBytes: number): FrameGroup[] {
  const found: FrameGroup[] = [];
  let from = 0;
  let bytes = 0;
  let last: SendableEvent | undefined;
  for (const [index, event] of events.entries()) {
    if (last !== undefined && bytes + event.bytes > maxFrameBytes) {
      found.push({ from, to: index, bytes, last });
      from = index;
      bytes = 0;
    }
    bytes += event.bytes;
    last = event;
  }
  if (last !== undefined) found.push({ from, to: events.length, bytes, last });
  return found;
}

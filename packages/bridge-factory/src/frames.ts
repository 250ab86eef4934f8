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
  const { epoch, events } = batch;
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
      frames ??= packFrames(events, maxFrameBytes);
      return frames;
    },
  };
}

/** Packs events into frames of at most `maxFrameBytes` of events, or one larger event alone (protocol §3). */
export function packFrames(events: readonly SendableEvent[], maxFrameBytes: number): readonly EventFrame[] {
  const frames: EventFrame[] = [];
  let group: string[] = [];
  let bytes = 0;
  let last: SendableEvent | undefined;
  for (const event of events) {
    if (last !== undefined && bytes + event.bytes > maxFrameBytes) {
      frames.push(frameOf(group, last));
      group = [];
      bytes = 0;
    }
    group.push(event.json);
    bytes += event.bytes;
    last = event;
  }
  if (last !== undefined) frames.push(frameOf(group, last));
  return frames;
}

function frameOf(group: readonly string[], last: SendableEvent): EventFrame {
  return { data: Buffer.from(encodeFrame(group)), seq: last.seq, id: last.id };
}

import { Buffer } from 'node:buffer';
import type { EventId, RunId, ThreadId } from '@runwire/id-generation';
import {
  EVENT_CLASS,
  type EventDraft,
  type EventEncoder,
  type EventType,
  encodeEvent,
} from '@runwire/protocol';
import type { EncodedEvent } from './contract.js';
import { EventLogError } from './errors.js';

/** What a log gives an event when it takes it. */
export interface LogStamp {
  readonly seq: number;
  readonly id: EventId;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** How drafts are encoded. */
export interface EncodeOptions {
  readonly encoder: EventEncoder;
  readonly maxBytes: number;
}

/**
 * Encodes one draft: the only time this happens in the event's life.
 *
 * @throws EventLogError `EVENT_TOO_LARGE` above `maxBytes` of UTF-8
 */
export function encodeDraft(
  draft: EventDraft,
  stamp: LogStamp,
  { encoder, maxBytes }: EncodeOptions,
): EncodedEvent {
  const json = encoder.encode(draft, stamp);
  const bytes = Buffer.byteLength(json);
  requireEventFits(draft.type, bytes, maxBytes);
  return {
    seq: stamp.seq,
    id: stamp.id,
    type: draft.type,
    class: EVENT_CLASS[draft.type],
    // Wire ids are plain strings; what a caller names here was branded, or comes back to it as it was.
    threadId: draft.threadId as ThreadId | undefined,
    runId: draft.runId as RunId | undefined,
    json,
    bytes,
  };
}

/** @throws EventLogError `EVENT_TOO_LARGE` above `maxBytes` */
export function requireEventFits(type: EventType, bytes: number, maxBytes: number): void {
  if (bytes <= maxBytes) return;
  throw new EventLogError(
    'EVENT_TOO_LARGE',
    `An encoded event has at most ${maxBytes} bytes; this ${type} has ${bytes}.`,
    { details: { type, bytes, maxBytes } },
  );
}

/** What stands in place of an erased event: its position, id and time, and nothing else of it. */
export function encodeErased(stamp: LogStamp): EncodedEvent {
  const json = encodeEvent({ type: 'erased', data: {} }, stamp);
  return {
    seq: stamp.seq,
    id: stamp.id,
    type: 'erased',
    class: EVENT_CLASS.erased,
    threadId: undefined,
    runId: undefined,
    json,
    bytes: Buffer.byteLength(json),
  };
}

/** Whether erasing `threadId` replaces the event: all of the thread's but the news that it is gone. */
export function isErasable(event: EncodedEvent, threadId: ThreadId): boolean {
  return event.threadId === threadId && event.type !== 'thread_deleted';
}

import type { Buffer } from 'node:buffer';
import type { EncodedEvent } from '@runwire/event-log';
import type { EventId, RunId, ThreadId } from '@runwire/id-generation';
import { EVENT_CLASS, type EventClass, type EventDraft, type EventType } from '@runwire/protocol';

/** Where the JSON of an event was written. */
export interface WrittenJson {
  readonly block: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * An event that was just written. Its JSON becomes a string when somebody asks for it, which nobody does as long as
 * its bytes are sent as they are.
 */
export class WrittenEvent implements EncodedEvent {
  readonly seq: number;
  readonly id: EventId;
  readonly type: EventType;
  readonly threadId: ThreadId | undefined;
  readonly runId: RunId | undefined;
  readonly bytes: number;
  readonly #block: Buffer;
  readonly #start: number;

  constructor(
    { type, threadId, runId }: EventDraft,
    { seq, id }: { readonly seq: number; readonly id: EventId },
    { block, start, end }: WrittenJson,
  ) {
    this.seq = seq;
    this.id = id;
    this.type = type;
    // Wire ids are plain strings; what a caller names here was branded, or comes back to it as it was.
    this.threadId = threadId as ThreadId | undefined;
    this.runId = runId as RunId | undefined;
    this.bytes = end - start;
    this.#block = block;
    this.#start = start;
  }

  get class(): EventClass {
    return EVENT_CLASS[this.type];
  }

  get json(): string {
    return this.#block.toString('utf8', this.#start, this.#start + this.bytes);
  }
}

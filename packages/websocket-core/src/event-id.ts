import type { ResumeRequest } from '@runwire/protocol';

/** `<epoch>:<seq>:<id>`. Read from its end: an epoch is opaque, and an event's id has no colon. */
const EVENT_ID = /^(.*):(\d{1,15}):([^:]*)$/s;

/** The cursor that a server-sent event's `id` names. What does not parse is an epoch that nobody knows. */
export function parseEventId(text: string): ResumeRequest {
  const [, epoch, seq, id] = EVENT_ID.exec(text) ?? [];
  if (epoch === undefined || seq === undefined) return { epoch: text };
  return { epoch, seq: Number(seq), ...(id === undefined || id === '' ? {} : { id }) };
}

/**
 * Tells what `id` a frame has as a server-sent event: the cursor of a client that has applied it. Frames pass
 * in order, because it follows the epoch that the server announces. It reads each frame whole: the WebSocket,
 * which is the rule, pays nothing for the stream, which is the exception.
 */
export class EventIds {
  #epoch = '';

  /** Undefined for a frame without events. */
  of(frame: Uint8Array): string | undefined {
    let cursor: string | undefined;
    for (const { at, id, seq, stream } of messagesOf(frame)) {
      if (typeof stream?.epoch === 'string') this.#epoch = stream.epoch;
      // Of what the server sends, only events have all three.
      if (typeof seq === 'number' && typeof id === 'string' && typeof at === 'number') {
        cursor = `${this.#epoch}:${seq}:${id}`;
      }
    }
    return cursor;
  }
}

/** The fields looked at; of any type until they are checked. */
interface Fields {
  readonly seq?: unknown;
  readonly id?: unknown;
  readonly at?: unknown;
  readonly stream?: { readonly epoch?: unknown };
}

function messagesOf(frame: Uint8Array): readonly Fields[] {
  try {
    const { buffer, byteLength, byteOffset } = frame;
    const value: unknown = JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString('utf8'));
    const messages: readonly unknown[] = Array.isArray(value) ? value : [value];
    return messages.filter((message) => typeof message === 'object' && message !== null);
  } catch {
    // A frame that is no JSON is the client's to refuse, with or without an id.
    return [];
  }
}

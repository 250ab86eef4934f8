import type { ControlMessage } from './control-messages.js';
import { encodeEstablished } from './encode-established.js';
import { ProtocolError } from './errors.js';
import type { ErasedDraft, EventData, EventDraft, EventPosition } from './events.js';
import { quote } from './quote.js';

/**
 * The JSON of one control message.
 *
 * @throws ProtocolError `NOT_ENCODABLE`
 */
export function encodeServerMessage(message: ControlMessage): string {
  return encodedByHand(message) ?? stringify(message);
}

/** What each connect brings, and all the others are too rare for; undefined for those. */
function encodedByHand(message: ControlMessage | undefined): string | undefined {
  if (message?.type === 'connection_established') return encodeEstablished(message);
  if (message?.type !== 'caught_up' || message.ref !== undefined) return undefined;
  return Number.isFinite(message.seq) ? `{"seq":${message.seq},"type":"caught_up"}` : undefined;
}

/**
 * The JSON of one event: once per event, whatever the number of connections. Keys in the order `type`, `seq`,
 * `id`, `at`, `from`, `threadId`, `runId`, `data`. Nothing is validated here: drafts are typed.
 *
 * @throws ProtocolError `NOT_ENCODABLE`
 */
export function encodeEvent(draft: EventDraft | ErasedDraft, position: EventPosition): string {
  return new RememberingEncoder().encode(draft, position);
}

/** Encodes many events, as `encodeEvent` does, faster when neighbours belong to one run. */
export interface EventEncoder {
  /** @throws ProtocolError `NOT_ENCODABLE` */
  encode(draft: EventDraft | ErasedDraft, position: EventPosition): string;
}

/** Creates an encoder: one for each log. */
export function createEventEncoder(): EventEncoder {
  return new RememberingEncoder();
}

/** Remembers what the event before and the next one mostly have in common. Saves a tenth of encoding. */
class RememberingEncoder implements EventEncoder {
  #threadId: string | undefined;
  #runId: string | undefined;
  #scope = ',"data":';
  #messageId = '';
  #message = '{"messageId":"","part":';

  encode(draft: EventDraft | ErasedDraft, { seq, id, at, from }: EventPosition): string {
    const covering = from === undefined ? '' : `,"from":${from}`;
    const data = draft.type === 'agent_delta' ? this.#delta(draft.data) : stringify(draft.data);
    const scope = this.#scopeOf(draft);
    return `{"type":"${draft.type}","seq":${seq},"id":${quote(id)},"at":${at}${covering}${scope}${data}}`;
  }

  #scopeOf({ threadId, runId }: EventDraft | ErasedDraft): string {
    if (this.#threadId !== threadId || this.#runId !== runId) {
      const thread = threadId === undefined ? '' : `,"threadId":${quote(threadId)}`;
      const run = runId === undefined ? '' : `,"runId":${quote(runId)}`;
      this.#threadId = threadId;
      this.#runId = runId;
      this.#scope = `${thread}${run},"data":`;
    }
    return this.#scope;
  }

  /** Deltas are most of what there is. Put together by hand they take a third of the time of an object. */
  #delta(data: EventData<'agent_delta'>): string {
    const { messageId, part, kind, offset, text, toolCallId } = data;
    const isPlain = Number.isSafeInteger(part) && Number.isSafeInteger(offset) && typeof text === 'string';
    if (!isPlain || toolCallId !== undefined) return stringify(data);
    if (this.#messageId !== messageId) {
      this.#messageId = messageId;
      this.#message = `{"messageId":${quote(messageId)},"part":`;
    }
    return `${this.#message}${part},"kind":"${kind}","offset":${offset},"text":${JSON.stringify(text)}}`;
  }
}

/** A frame of encoded messages, in their order: one alone as it is, several as an array (§2). */
export function encodeFrame(encoded: readonly string[]): string {
  const [first] = encoded;
  return encoded.length === 1 && first !== undefined ? first : `[${encoded.join(',')}]`;
}

function stringify(value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new ProtocolError('NOT_ENCODABLE', 'The message cannot be written as JSON.', { cause });
  }
  if (json === undefined) throw new ProtocolError('NOT_ENCODABLE', 'The message has no JSON.');
  return json;
}

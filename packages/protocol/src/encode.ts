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

/** A text, and the same in UTF-8. */
export interface EncodedPiece {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** Where an encoder writes: text by text, behind what is there. */
export interface EncodingTarget {
  /** What is written again and again. */
  piece(piece: EncodedPiece): void;
  /** ASCII alone: bytes and characters are the same. */
  ascii(text: string): void;
  /** A whole number that is not negative. */
  number(value: number): void;
  text(text: string): void;
  /** The JSON of a text. */
  quoted(text: string): void;
}

/** Encodes many events, as `encodeEvent` does, faster when neighbours belong to one run. */
export interface EventEncoder {
  /** @throws ProtocolError `NOT_ENCODABLE` */
  encode(draft: EventDraft | ErasedDraft, position: EventPosition): string;
  /**
   * As `encode`, without making a string of the whole.
   *
   * @throws ProtocolError `NOT_ENCODABLE`; then a part may have been written
   */
  write(draft: EventDraft | ErasedDraft, position: EventPosition, target: EncodingTarget): void;
}

/** Creates an encoder: one for each log. */
export function createEventEncoder(): EventEncoder {
  return new RememberingEncoder();
}

/** What is written, as a string. */
class TextTarget implements EncodingTarget {
  written = '';

  piece({ text }: EncodedPiece): void {
    this.written += text;
  }

  ascii(text: string): void {
    this.written += text;
  }

  number(value: number): void {
    this.written += value;
  }

  text(text: string): void {
    this.written += text;
  }

  quoted(text: string): void {
    this.written += quote(text);
  }
}

/** What the deltas of one message have in common. */
interface MessageScope {
  readonly threadId: string | undefined;
  readonly runId: string | undefined;
  /** From behind the time to the delta's part. */
  readonly piece: EncodedPiece;
}

/** So many messages are remembered: of those that are being written. */
const MAX_SCOPES = 2_048;

/** Remembers what the deltas of a message have in common. Saves a fifth of encoding. */
class RememberingEncoder implements EventEncoder {
  readonly #scopes = new Map<string, MessageScope>();
  #at = Number.NaN;
  /** What stands between the id and what follows the time: all events of a millisecond share it. */
  #atText = '';

  encode(draft: EventDraft | ErasedDraft, position: EventPosition): string {
    const target = new TextTarget();
    this.write(draft, position, target);
    return target.written;
  }

  write(draft: EventDraft | ErasedDraft, position: EventPosition, target: EncodingTarget): void {
    const { seq, id, at, from } = position;
    const delta = draft.type === 'agent_delta' && isPlain(draft.data) ? draft.data : undefined;
    if (delta === undefined) target.ascii(`{"type":"${draft.type}","seq":`);
    else target.piece(DELTA_HEAD);
    target.number(seq);
    target.ascii(',"id":');
    target.quoted(id);
    target.ascii(this.#timeOf(at));
    if (from !== undefined) {
      target.ascii(',"from":');
      target.number(from);
    }
    if (delta === undefined) {
      target.text(`${idsOf(draft)},"data":`);
      target.text(stringify(draft.data));
    } else {
      target.piece(this.#scopeOf(draft, delta.messageId));
      writeDelta(delta, target);
    }
    target.ascii('}');
  }

  #timeOf(at: number): string {
    if (this.#at !== at) {
      this.#at = at;
      this.#atText = `,"at":${at}`;
    }
    return this.#atText;
  }

  #scopeOf(draft: EventDraft | ErasedDraft, messageId: string): EncodedPiece {
    const { threadId, runId } = draft;
    const known = this.#scopes.get(messageId);
    if (known !== undefined && known.threadId === threadId && known.runId === runId) return known.piece;
    if (this.#scopes.size >= MAX_SCOPES) this.#scopes.clear();
    const piece = pieceOf(`${idsOf(draft)},"data":{"messageId":${quote(messageId)},"part":`);
    this.#scopes.set(messageId, { threadId, runId, piece });
    return piece;
  }
}

function idsOf({ threadId, runId }: EventDraft | ErasedDraft): string {
  const thread = threadId === undefined ? '' : `,"threadId":${quote(threadId)}`;
  return runId === undefined ? thread : `${thread},"runId":${quote(runId)}`;
}

type Delta = EventData<'agent_delta'>;

const DELTA_HEAD = pieceOf('{"type":"agent_delta","seq":');
const TEXT_KIND = ',"kind":"text","offset":';

function pieceOf(text: string): EncodedPiece {
  return Object.freeze({ text, bytes: new TextEncoder().encode(text) });
}

/** Whether it can be put together by hand. */
function isPlain({ part, offset, text, toolCallId, messageId }: Delta): boolean {
  return (
    toolCallId === undefined &&
    isCount(part) &&
    isCount(offset) &&
    typeof text === 'string' &&
    typeof messageId === 'string'
  );
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** What follows the message, part by part. Deltas are most of what there is; by hand takes a third of the time. */
function writeDelta({ part, kind, offset, text }: Delta, target: EncodingTarget): void {
  target.number(part);
  target.ascii(kind === 'text' ? TEXT_KIND : `,"kind":"${kind}","offset":`);
  target.number(offset);
  target.ascii(',"text":');
  target.quoted(text);
  target.ascii('}');
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

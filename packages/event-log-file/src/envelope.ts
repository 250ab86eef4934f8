import type { EventId, RunId, ThreadId } from '@runwire/id-generation';
import { EVENT_CLASS, type EventClass, type EventType } from '@runwire/protocol';
import { unreadable } from './errors.js';

/** What an encoded event says before its data, and where it stands in the text of many. */
export interface Envelope {
  /** Of the whole event. */
  readonly from: number;
  readonly to: number;
  readonly seq: number;
  readonly type: EventType;
  readonly class: EventClass;
  readonly threadId: ThreadId | undefined;
  readonly runId: RunId | undefined;
  /** Undefined when it stands between `idFrom` and `idTo`, as it is. */
  readonly id: EventId | undefined;
  readonly idFrom: number;
  readonly idTo: number;
}

// Keys in the order in which `encodeEvent` writes them.
const TYPE_KEY = '{"type":"';
const SEQ_KEY = '","seq":';
const ID_KEY = ',"id":"';
const AT_KEY = '","at":';
const THREAD_KEY = ',"threadId":"';
const RUN_KEY = ',"runId":"';
const DATA_KEY = ',"data":';

/**
 * Reads the envelopes of many events, by searching, because a pattern with so many groups takes three times as
 * long. What neighbours have in common is compared and not read again: of most events only `seq` and the place of
 * the id are their own.
 */
export class EnvelopeSearch implements Envelope {
  from = 0;
  to = 0;
  seq = 0;
  type: EventType = 'erased';
  class: EventClass = 'durable';
  threadId: ThreadId | undefined;
  runId: RunId | undefined;
  readonly id = undefined;
  idFrom = 0;
  idTo = 0;
  readonly #text: string;
  readonly #decode: (from: number, to: number) => string;
  /** The text of the last event up to its `seq`, and that from behind its `at` to its data. */
  #before = '';
  #behind = '';
  /** The next backslash from where was looked last; an escape in an id is one before the data. */
  #escapeAt = -1;

  /**
   * @param text - of all events, one character for each byte
   * @param decode - what stands between two places, as it was written
   */
  constructor(text: string, decode: (from: number, to: number) => string) {
    this.#text = text;
    this.#decode = decode;
  }

  /** Reads that of the event between two places; false when it looks otherwise than nearly all do. */
  read(from: number, to: number): boolean {
    const text = this.#text;
    const seqAt = this.#readType(from);
    const seqEnd = text.indexOf(',', seqAt);
    const idFrom = seqEnd + ID_KEY.length;
    const idTo = text.indexOf('"', idFrom);
    if (seqAt < 0 || !text.startsWith(ID_KEY, seqEnd) || !text.startsWith(AT_KEY, idTo)) return false;
    const dataAt = this.#readScope(text.indexOf(',', idTo + AT_KEY.length));
    if (dataAt < 0 || dataAt > to || this.#hasEscape(from, dataAt)) return false;
    this.from = from;
    this.to = to;
    this.seq = Number(text.slice(seqAt, seqEnd));
    this.idFrom = idFrom;
    this.idTo = idTo;
    return true;
  }

  /** Returns where `seq` begins, or -1. */
  #readType(from: number): number {
    const text = this.#text;
    if (this.#before !== '' && standsAt(text, from, this.#before)) return from + this.#before.length;
    const typeAt = from + TYPE_KEY.length;
    const typeEnd = text.indexOf('"', typeAt);
    if (!text.startsWith(TYPE_KEY, from) || !text.startsWith(SEQ_KEY, typeEnd)) return -1;
    this.#before = this.#decode(from, typeEnd + SEQ_KEY.length);
    this.type = this.#decode(typeAt, typeEnd) as EventType;
    this.class = classOf(this.type);
    return typeEnd + SEQ_KEY.length;
  }

  /** Returns where the data begins, or -1. */
  #readScope(from: number): number {
    const text = this.#text;
    if (this.#behind !== '' && standsAt(text, from, this.#behind)) return from + this.#behind.length;
    const threadEnd = this.#endOf(THREAD_KEY, from);
    const runEnd = this.#endOf(RUN_KEY, threadEnd);
    if (!text.startsWith(DATA_KEY, runEnd)) return -1;
    // Branded when the event was encoded, and covered by the record's checksum since.
    this.threadId = this.#textAt(THREAD_KEY, from, threadEnd) as ThreadId | undefined;
    this.runId = this.#textAt(RUN_KEY, threadEnd, runEnd) as RunId | undefined;
    this.#behind = this.#decode(from, runEnd + DATA_KEY.length);
    return runEnd + DATA_KEY.length;
  }

  /** Where a key that may stand at `from` ends with its text. */
  #endOf(key: string, from: number): number {
    const text = this.#text;
    return text.startsWith(key, from) ? text.indexOf('"', from + key.length) + 1 : from;
  }

  #textAt(key: string, from: number, end: number): string | undefined {
    return end === from ? undefined : this.#decode(from + key.length, end - 1);
  }

  #hasEscape(from: number, to: number): boolean {
    if (this.#escapeAt < from) {
      const found = this.#text.indexOf('\\', from);
      this.#escapeAt = found < 0 ? this.#text.length : found;
    }
    return this.#escapeAt < to;
  }
}

/** As `startsWith`, which compares one character after the other: a third of the time where they are many. */
function standsAt(text: string, at: number, known: string): boolean {
  return text.slice(at, at + known.length) === known;
}

const ENVELOPE =
  /^\{"type":"([^"\\]*)","seq":(\d+),"id":("(?:[^"\\]|\\.)*"),"at":\d+(?:,"threadId":("(?:[^"\\]|\\.)*"))?(?:,"runId":("(?:[^"\\]|\\.)*"))?,"data":/;

/**
 * Reads the envelope of any event, by a pattern.
 *
 * @throws EventLogError `LOG_READ_FAILED` when it has none
 */
export function matchEnvelope(json: string, place: Pick<Envelope, 'from' | 'to'>): Envelope {
  const envelope = ENVELOPE.exec(json);
  if (envelope === null) throw unreadable('it has a line that is no event');
  const [, type = '', seq, id = '""', threadId, runId] = envelope;
  return {
    ...place,
    seq: Number(seq),
    type: type as EventType,
    class: classOf(type as EventType),
    threadId: threadId === undefined ? undefined : (unquote(threadId) as ThreadId),
    runId: runId === undefined ? undefined : (unquote(runId) as RunId),
    id: unquote(id) as EventId,
    idFrom: 0,
    idTo: 0,
  };
}

/** Types of later versions are kept like all that must not be lost. */
function classOf(type: EventType): EventClass {
  const known = EVENT_CLASS[type] as (typeof EVENT_CLASS)[EventType] | undefined;
  return known ?? 'durable';
}

/** The text that a JSON text stands for. @throws EventLogError `LOG_READ_FAILED` when it is none */
export function unquote(text: string): string {
  if (!text.includes('\\')) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch (cause) {
    throw unreadable('an id in it is no JSON', cause);
  }
}

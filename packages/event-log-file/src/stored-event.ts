import type { Buffer } from 'node:buffer';
import type { EncodedEvent } from '@runwire/event-log';
import type { EventId, RunId, ThreadId } from '@runwire/id-generation';
import { EVENT_CLASS, type EventType, TERMINAL_EVENT_TYPE } from '@runwire/protocol';
import { unreadable } from './errors.js';
import { FLAG_LIFECYCLE } from './record-format.js';

const NEW_LINE = 10;

/** The beginning of an encoded event: keys in the order in which `encodeEvent` writes them. */
const ENVELOPE =
  /^\{"type":"([^"\\]*)","seq":(\d+),"id":("(?:[^"\\]|\\.)*"),"at":\d+(?:,"threadId":("(?:[^"\\]|\\.)*"))?(?:,"runId":("(?:[^"\\]|\\.)*"))?,"data":/;

/**
 * The events that stand between `start` and `end`, one line each.
 *
 * @throws EventLogError `LOG_READ_FAILED` when there stands something else
 */
export function decodeEvents(source: Buffer, start: number, end: number): EncodedEvent[] {
  const text = source.toString('utf8', start, end);
  const isAscii = text.length === end - start;
  const events: EncodedEvent[] = [];
  let lineAt = start;
  for (let at = 0; at < text.length; ) {
    const lineBreak = text.indexOf('\n', at);
    const to = lineBreak < 0 ? text.length : lineBreak;
    const json = text.slice(at, to);
    const bytes = isAscii ? json.length : lineBytes(source, lineAt, end);
    events.push(decodePlain(json, bytes) ?? decodeEvent(json, bytes));
    lineAt += bytes + 1;
    at = to + 1;
  }
  return events;
}

function lineBytes(source: Buffer, start: number, end: number): number {
  const lineBreak = source.indexOf(NEW_LINE, start);
  return (lineBreak < 0 || lineBreak > end ? end : lineBreak) - start;
}

const TYPE_KEY = '{"type":"';
const SEQ_KEY = '","seq":';
const ID = ',"id":"';
const AT_KEY = '","at":';
const THREAD_KEY = ',"threadId":"';
const RUN_KEY = ',"runId":"';
const DATA_KEY = ',"data":';

/**
 * As `decodeEvent`, of an event whose ids hold no escapes: nearly all. By searching, because a pattern with so
 * many groups takes three times as long. Undefined when it looks otherwise.
 */
function decodePlain(json: string, bytes: number): EncodedEvent | undefined {
  const typeEnd = json.indexOf('"', TYPE_KEY.length);
  const seqAt = typeEnd + SEQ_KEY.length;
  const seqEnd = json.indexOf(',', seqAt);
  const idAt = seqEnd + ID.length;
  const idEnd = json.indexOf('"', idAt);
  const atEnd = json.indexOf(',', idEnd + AT_KEY.length);
  const isEnvelope =
    json.startsWith(TYPE_KEY) &&
    json.startsWith(SEQ_KEY, typeEnd) &&
    json.startsWith(ID, seqEnd) &&
    json.startsWith(AT_KEY, idEnd);
  if (!isEnvelope) return undefined;
  const threadId = textAt(json, atEnd, THREAD_KEY);
  const threadEnd = atEnd + (threadId === undefined ? 0 : THREAD_KEY.length + threadId.length + 1);
  const runId = textAt(json, threadEnd, RUN_KEY);
  const runEnd = threadEnd + (runId === undefined ? 0 : RUN_KEY.length + runId.length + 1);
  // An escape in one of the ids is before the data, if anywhere.
  const escapeAt = json.indexOf('\\');
  if (!json.startsWith(DATA_KEY, runEnd) || (escapeAt >= 0 && escapeAt < runEnd)) return undefined;
  const type = json.slice(TYPE_KEY.length, typeEnd) as EventType;
  return {
    seq: Number(json.slice(seqAt, seqEnd)),
    id: json.slice(idAt, idEnd) as EventId,
    type,
    class: classOf(type),
    threadId: threadId as ThreadId | undefined,
    runId: runId as RunId | undefined,
    json,
    bytes,
  };
}

/** The text behind `key`, when that stands at `at`. */
function textAt(json: string, at: number, key: string): string | undefined {
  if (!json.startsWith(key, at)) return undefined;
  const from = at + key.length;
  return json.slice(from, json.indexOf('"', from));
}

/** Types of later versions are kept like all that must not be lost. */
function classOf(type: EventType): EncodedEvent['class'] {
  const known = EVENT_CLASS[type] as (typeof EVENT_CLASS)[EventType] | undefined;
  return known ?? 'durable';
}

function decodeEvent(json: string, bytes: number): EncodedEvent {
  const envelope = ENVELOPE.exec(json);
  if (envelope === null) throw unreadable('it has a line that is no event');
  const [, type = '', seq, id = '""', threadId, runId] = envelope;
  // Written by `encodeDraft` from branded ids, and covered by the record's checksum since.
  return {
    seq: Number(seq),
    id: unquote(id) as EventId,
    type: type as EventType,
    class: classOf(type as EventType),
    threadId: threadId === undefined ? undefined : (unquote(threadId) as ThreadId),
    runId: runId === undefined ? undefined : (unquote(runId) as RunId),
    json,
    bytes,
  };
}

function unquote(text: string): string {
  if (!text.includes('\\')) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch (cause) {
    throw unreadable('an id in it is no JSON', cause);
  }
}

const ID_KEY = ',"id":"';
const QUOTE = 34;
const BACKSLASH = 92;

/**
 * The id of the last event that ends at `end`, without decoding the others.
 *
 * @throws EventLogError `LOG_READ_FAILED` when there is none
 */
export function lastEventId(source: Buffer, start: number, end: number): EventId {
  const lineBreak = source.lastIndexOf(NEW_LINE, end - 1);
  const from = lineBreak < start ? start : lineBreak + 1;
  const keyAt = source.indexOf(ID_KEY, from);
  const idAt = keyAt + ID_KEY.length;
  let quoteAt = idAt;
  while (quoteAt < end && source[quoteAt] !== QUOTE) quoteAt += source[quoteAt] === BACKSLASH ? 2 : 1;
  if (keyAt < 0 || quoteAt >= end) throw unreadable('its last event has no id');
  return unquote(source.toString('utf8', idAt - 1, quoteAt + 1)) as EventId;
}

/** The flags of a record with such events. */
export function recordFlags(events: readonly { readonly type: EventType }[]): number {
  const isLifecycle = events.some(({ type }) => type === 'agent_started' || type === TERMINAL_EVENT_TYPE);
  return isLifecycle ? FLAG_LIFECYCLE : 0;
}

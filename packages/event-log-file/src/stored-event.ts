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
  const events: EncodedEvent[] = [];
  for (let from = start; from < end; ) {
    const newLine = source.indexOf(NEW_LINE, from);
    const to = newLine < 0 || newLine > end ? end : newLine;
    events.push(decodeEvent(source.toString('utf8', from, to), to - from));
    from = to + 1;
  }
  return events;
}

function decodeEvent(json: string, bytes: number): EncodedEvent {
  const envelope = ENVELOPE.exec(json);
  if (envelope === null) throw unreadable('it has a line that is no event');
  const [, type = '', seq, id = '""', threadId, runId] = envelope;
  // Written by `encodeDraft` from branded ids, and covered by the record's checksum since.
  const known = EVENT_CLASS[type as EventType] as (typeof EVENT_CLASS)[EventType] | undefined;
  return {
    seq: Number(seq),
    id: unquote(id) as EventId,
    type: type as EventType,
    class: known ?? 'durable',
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

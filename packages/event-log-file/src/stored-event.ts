import type { Buffer } from 'node:buffer';
import type { EncodedEvent } from '@runwire/event-log';
import type { EventId, RunId, ThreadId } from '@runwire/id-generation';
import { type EventClass, type EventType, TERMINAL_EVENT_TYPE } from '@runwire/protocol';
import { type Envelope, EnvelopeSearch, matchEnvelope, unquote } from './envelope.js';
import { unreadable } from './errors.js';
import { PageLines } from './page-lines.js';
import { FLAG_LIFECYCLE } from './record-format.js';

const NEW_LINE = 10;

/**
 * The events that stand between `start` and `end`, one line each.
 *
 * @throws EventLogError `LOG_READ_FAILED` when there stands something else
 */
export function decodeEvents(source: Buffer, start: number, end: number): EncodedEvent[] {
  const lines = new PageLines();
  const from = lines.add(source, { from: start, to: end });
  return eventsIn(lines, { from, to: from + end - start });
}

/** As `decodeEvents`, where the bytes stay: those between two places of `lines`. */
export function eventsIn(
  lines: PageLines,
  range: { readonly from: number; readonly to: number },
): EncodedEvent[] {
  const start = range.from;
  // One character for each byte, so that places in the text are places in the bytes.
  const text = lines.text(start, range.to, 'latin1');
  const search = new EnvelopeSearch(text, (from, to) => lines.text(start + from, start + to));
  const events: EncodedEvent[] = [];
  for (let from = 0; from < text.length; ) {
    const lineBreak = text.indexOf('\n', from);
    const to = lineBreak < 0 ? text.length : lineBreak;
    const envelope = search.read(from, to)
      ? search
      : matchEnvelope(lines.text(start + from, start + to), { from, to });
    events.push(new StoredEvent(lines, start, envelope));
    from = to + 1;
  }
  return events;
}

/**
 * An event as it was stored. Its texts are made when they are asked for, which is seldom, because what is sent are
 * the bytes of its line: to make them all took most of the time of a page.
 */
class StoredEvent implements EncodedEvent {
  readonly seq: number;
  readonly type: EventType;
  readonly class: EventClass;
  readonly threadId: ThreadId | undefined;
  readonly runId: RunId | undefined;
  readonly bytes: number;
  readonly #lines: PageLines;
  readonly #at: number;
  readonly #id: EventId | undefined;
  readonly #idFrom: number;
  readonly #idTo: number;

  /** @param start - where the text of the envelope begins in `lines` */
  constructor(lines: PageLines, start: number, envelope: Envelope) {
    this.seq = envelope.seq;
    this.type = envelope.type;
    this.class = envelope.class;
    this.threadId = envelope.threadId;
    this.runId = envelope.runId;
    this.bytes = envelope.to - envelope.from;
    this.#lines = lines;
    this.#at = start + envelope.from;
    this.#id = envelope.id;
    this.#idFrom = start + envelope.idFrom;
    this.#idTo = start + envelope.idTo;
  }

  get id(): EventId {
    return this.#id ?? (this.#lines.text(this.#idFrom, this.#idTo) as EventId);
  }

  get json(): string {
    return this.#lines.text(this.#at, this.#at + this.bytes);
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
  return events.some(({ type }) => isLifecycle(type)) ? FLAG_LIFECYCLE : 0;
}

/** Whether a run begins or ends with events of the type. */
export function isLifecycle(type: EventType): boolean {
  return type === 'agent_started' || type === TERMINAL_EVENT_TYPE;
}

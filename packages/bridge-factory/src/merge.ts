import { Buffer } from 'node:buffer';
import type { EncodedEvent } from '@runwire/event-log';
import type { RunwireEventOf } from '@runwire/protocol';
import { encodeEvent } from '@runwire/protocol';
import type { SendableEvent } from './frames.js';

type Delta = RunwireEventOf<'agent_delta'>;

/** A delta under merging: what it covers so far, and the ephemeral events it will cover if it goes on. */
interface OpenDelta {
  /** The event as it is in the log, while nothing is merged into it. */
  readonly first: EncodedEvent;
  /** Parsed once a second delta shows up. */
  start: Delta | undefined;
  last: Delta | undefined;
  readonly texts: string[];
  offsetEnd: number;
  bytes: number;
  between: EncodedEvent[];
}

/**
 * Merges neighbouring deltas of a page for a connection that is behind (protocol §4, Merging). Pure: the
 * result covers exactly the `seq` of the page, in order, and folds to the same answer. Merged events grow up
 * to `maxBytes`. The page's last event keeps its `seq` and id.
 */
export function mergePage(events: readonly EncodedEvent[], maxBytes: number): readonly SendableEvent[] {
  const merged: SendableEvent[] = [];
  let open: OpenDelta | undefined;
  for (const event of events) {
    if (open !== undefined && event.class === 'ephemeral') {
      open.between.push(event);
    } else if (event.type !== 'agent_delta') {
      if (open !== undefined) closeDelta(open, merged);
      open = undefined;
      merged.push(event);
    } else {
      const delta = open !== undefined && mayExtend(open, event, maxBytes) ? parseDelta(event) : undefined;
      if (open !== undefined && delta !== undefined && extendDelta(open, delta)) continue;
      if (open !== undefined) closeDelta(open, merged);
      open = openDelta(event, delta);
    }
  }
  if (open !== undefined) closeDelta(open, merged);
  return merged;
}

function openDelta(first: EncodedEvent, start: Delta | undefined): OpenDelta {
  return { first, start, last: undefined, texts: [], offsetEnd: 0, bytes: first.bytes, between: [] };
}

/** What can be said without parsing. Never too generous: the envelope that goes away is counted. */
function mayExtend(open: OpenDelta, event: EncodedEvent, maxBytes: number): boolean {
  const { first } = open;
  return (
    event.runId === first.runId && event.threadId === first.threadId && open.bytes + event.bytes <= maxBytes
  );
}

/** Takes `delta` into the open one, together with what lies between; false when they do not belong. */
function extendDelta(open: OpenDelta, delta: Delta): boolean {
  const start = open.start ?? parseDelta(open.first);
  if (open.texts.length === 0) {
    open.start = start;
    open.texts.push(start.data.text);
    open.offsetEnd = start.data.offset + start.data.text.length;
  }
  if (!isSamePart(start, delta) || delta.data.offset !== open.offsetEnd) return false;
  open.bytes += Buffer.byteLength(JSON.stringify(delta.data.text));
  open.texts.push(delta.data.text);
  open.offsetEnd += delta.data.text.length;
  open.last = delta;
  open.between = [];
  return true;
}

function parseDelta(event: EncodedEvent): Delta {
  return JSON.parse(event.json) as Delta;
}

function isSamePart(a: Delta, b: Delta): boolean {
  return (
    a.data.messageId === b.data.messageId &&
    a.data.part === b.data.part &&
    a.data.kind === b.data.kind &&
    a.data.toolCallId === b.data.toolCallId
  );
}

function closeDelta(open: OpenDelta, merged: SendableEvent[]): void {
  const { start, last } = open;
  if (start === undefined || last === undefined) {
    merged.push(open.first);
  } else {
    const { seq, id, at, ...draft } = last;
    const data = { ...start.data, text: open.texts.join('') };
    const json = encodeEvent({ ...draft, data }, { seq, id, at, from: start.seq });
    merged.push({ seq, id, json, bytes: Buffer.byteLength(json) });
  }
  merged.push(...open.between);
}

import { Buffer } from 'node:buffer';
import type { EncodedEvent } from '@runwire/event-log';
import type { RunwireEventOf } from '@runwire/protocol';
import { DeltaParts } from './delta-parts.js';
import type { SendableEvent } from './frames.js';
import { encodeCovering } from './frames.js';
import { thinOut } from './thin-out.js';

type Delta = RunwireEventOf<'agent_delta'>;

/** A delta under merging: the event as it is in the log, and what was merged into it. */
interface OpenDelta {
  readonly first: EncodedEvent;
  /** Of `DeltaParts`. */
  readonly part: string;
  /** Parsed once a second delta shows up. */
  start: Delta | undefined;
  last: Delta | undefined;
  readonly texts: string[];
  offsetEnd: number;
  bytes: number;
}

/**
 * Merges a page for a connection that is behind (protocol §4, Merging): neighbouring deltas become one, with
 * the ephemeral events between them, and of other ephemeral events in a row the superseded ones go. Pure and
 * total: the result covers each `seq` of the page once, in order, and folds to the same answer; durable events
 * stay as the log encoded them. Merged deltas grow up to `maxBytes`. The page's last event keeps its `seq` and
 * id.
 *
 * @param lines - their JSON in UTF-8, one line each, of these events
 */
export function mergePage(
  events: readonly EncodedEvent[],
  maxBytes: number,
  lines?: Uint8Array,
): readonly SendableEvent[] {
  const parts = new DeltaParts(lines);
  const merged: SendableEvent[] = [];
  let open: OpenDelta | undefined;
  let passing: EncodedEvent[] = [];
  let lineAt = 0;
  for (const event of events) {
    const from = lineAt;
    lineAt += event.bytes + 1;
    if (event.class === 'ephemeral') {
      passing.push(event);
      continue;
    }
    const part = event.type === 'agent_delta' ? parts.of(event, from) : undefined;
    const delta = open?.part === part && mayExtend(open, event, maxBytes) ? parseDelta(event) : undefined;
    const isTaken = open !== undefined && delta !== undefined && extendDelta(open, delta);
    if (!isTaken) {
      if (open !== undefined) merged.push(closeDelta(open));
      if (passing.length > 0) merged.push(...thinOut(passing));
      open = part === undefined ? undefined : openDelta(event, part, delta);
      if (open === undefined) merged.push(event);
    }
    if (passing.length > 0) passing = [];
  }
  if (open !== undefined) merged.push(closeDelta(open));
  merged.push(...thinOut(passing));
  return merged;
}

function openDelta(first: EncodedEvent, part: string, start: Delta | undefined): OpenDelta {
  return { first, part, start, last: undefined, texts: [], offsetEnd: 0, bytes: first.bytes };
}

/** What can be said without parsing. Never too generous: the envelope that goes away is counted. */
function mayExtend(open: OpenDelta | undefined, event: EncodedEvent, maxBytes: number): open is OpenDelta {
  if (open === undefined || open.bytes + event.bytes > maxBytes) return false;
  return event.runId === open.first.runId && event.threadId === open.first.threadId;
}

/** Takes `delta` into the open one; false when they do not belong together. */
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

function closeDelta({ first, start, last, texts }: OpenDelta): SendableEvent {
  if (start === undefined || last === undefined) return first;
  const data = { ...start.data, text: texts.join('') };
  return encodeCovering({ ...last, data }, start.seq);
}

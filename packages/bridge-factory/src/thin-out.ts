import type { EncodedEvent } from '@runwire/event-log';
import type { RunwireEvent } from '@runwire/protocol';
import type { SendableEvent } from './frames.js';
import { encodeCovering } from './frames.js';

/** An ephemeral event, and what it tells about. */
interface Told {
  readonly encoded: EncodedEvent;
  readonly event: RunwireEvent;
  /** Undefined when no later event supersedes this one. */
  readonly subject: string | undefined;
}

/**
 * Leaves out of ephemeral events in a row those that a later one of the row supersedes: progress of a tool
 * call goes when there is newer progress of the same call. Each that stays covers, by `from`, those left out
 * right before it; the last one always stays (protocol §4, Merging).
 */
export function thinOut(row: readonly EncodedEvent[]): readonly SendableEvent[] {
  if (row.length < 2) return row;
  const told = row.map(parse);
  const newest = new Map(told.map(({ subject }, index) => [subject, index]));
  const kept: SendableEvent[] = [];
  let from: number | undefined;
  told.forEach(({ encoded, event, subject }, index) => {
    if (subject !== undefined && newest.get(subject) !== index) {
      from ??= encoded.seq;
      return;
    }
    kept.push(from === undefined ? encoded : encodeCovering(event, from));
    from = undefined;
  });
  return kept;
}

function parse(encoded: EncodedEvent): Told {
  const event = JSON.parse(encoded.json) as RunwireEvent;
  const isProgress = event.type === 'tool_progress';
  return { encoded, event, subject: isProgress ? `${event.runId} ${event.data.toolCallId}` : undefined };
}

import type { ClientMessage } from '../client-messages.js';
import type { ServerMessage } from '../control-messages.js';
import type { RunwireEvent } from '../events.js';

/** The JSON of a client's message. */
export function encodeClientMessage(message: ClientMessage): string {
  return JSON.stringify(message);
}

/**
 * The messages of one server→client frame, in order; undefined if it is none. Checks what the order of events
 * relies on: each message has a `type`, each event its `seq`, `id` and `data`. Types that are not known are let
 * through, as a newer server sends them (§2). `isServerMessage` checks the rest.
 */
export function parseServerFrame(data: unknown): readonly ServerMessage[] | undefined {
  if (typeof data !== 'string') return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch {
    return undefined;
  }
  const messages: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  return messages.every(hasEnvelope) ? messages : undefined;
}

/** True for an event of the log, of whatever type: one of a newer server counts in `seq` too. */
export function isLogEvent(message: ServerMessage): message is RunwireEvent {
  return 'data' in message && 'seq' in message;
}

function hasEnvelope(value: unknown): value is ServerMessage {
  const { type, seq, id, from, data } = Object(value) as Readonly<Record<string, unknown>>;
  if (typeof type !== 'string') return false;
  if (data === undefined || seq === undefined) return true;
  if (typeof data !== 'object' || data === null || typeof id !== 'string') return false;
  return Number.isSafeInteger(seq) && (from === undefined || Number.isSafeInteger(from));
}

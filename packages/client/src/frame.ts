import type { RunwireEvent, ServerMessage } from '@runwire/protocol';

/**
 * The messages of one frame, in order; undefined if it is no Runwire frame. Checks what the client itself
 * relies on, so that a proxy's error page or a foreign server is noticed; the server is trusted for the rest.
 */
export function parseFrame(data: unknown): readonly ServerMessage[] | undefined {
  if (typeof data !== 'string') return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(data);
  } catch {
    return undefined;
  }
  const messages: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  return messages.every(isMessage) ? messages : undefined;
}

/** True for an event of the log, of whatever type: an event of a newer server counts in `seq` too. */
export function isEvent(message: ServerMessage): message is RunwireEvent {
  return 'data' in message && 'seq' in message;
}

function isMessage(value: unknown): value is ServerMessage {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  if (typeof value.type !== 'string') return false;
  if (!('data' in value && 'seq' in value)) return true;
  const { data, seq, id, from } = value as { data: unknown; seq: unknown; id?: unknown; from?: unknown };
  if (typeof data !== 'object' || data === null || typeof id !== 'string') return false;
  return Number.isSafeInteger(seq) && (from === undefined || Number.isSafeInteger(from));
}

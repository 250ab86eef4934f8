import type { LedgerSnapshot } from '@runwire/event-log';
import type { EventId, ThreadId } from '@runwire/id-generation';
import { unreadable } from './errors.js';

/** Events of a thread up to a position are erased. */
export interface Erasure {
  readonly threadId: ThreadId;
  readonly through: number;
}

/** What a state record says, as JSON: everything that a user's stream remembers besides readable events. */
export interface StreamState {
  /** Lowest readable `seq`. */
  readonly first: number;
  /** Id of the event at `first - 1`; null when nobody knows it, or there is none. */
  readonly baseId: EventId | null;
  /** Of events that are not erased on the disk yet. */
  readonly erasures: readonly Erasure[];
  readonly ledger: LedgerSnapshot;
}

/**
 * The state in a record's payload. What is in its lists is taken as it was written.
 *
 * @throws EventLogError `LOG_READ_FAILED` when it is no state
 */
export function parseState(json: string): StreamState {
  let state: Partial<StreamState> | null;
  try {
    state = JSON.parse(json) as Partial<StreamState> | null;
  } catch (cause) {
    throw unreadable('its state is no JSON', cause);
  }
  if (!isState(state)) throw unreadable('its state lacks what every state has');
  return state;
}

function isState(state: Partial<StreamState> | null): state is StreamState {
  const { first, baseId, erasures, ledger } = state ?? {};
  const lists: readonly unknown[] = [erasures, ledger?.producers, ledger?.open, ledger?.ended];
  const isPlaced = Number.isSafeInteger(first) && (baseId === null || typeof baseId === 'string');
  const isListed = lists.every((list) => Array.isArray(list) && list.every(isObject));
  return isPlaced && isListed && ledger?.producers.every(({ results }) => Array.isArray(results)) === true;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

import type { LedgerSnapshot } from '@runwire/event-log';
import type { EventId, ThreadId } from '@runwire/id-generation';

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

/** The state in a record's payload. */
export function parseState(json: string): StreamState {
  return JSON.parse(json) as StreamState;
}

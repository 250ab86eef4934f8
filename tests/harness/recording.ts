import type { RunwireClient } from '@runwire/client';
import type { BareConnection, BareMessage } from './bare-connection.js';
import type { HttpUser } from './http-user.js';

/** A run that was promised to a user: its command was answered `command_accepted`. */
export interface AcceptedRun {
  readonly runId: string;
  readonly threadId: string;
}

/** What one connection, or one client over many connections, handed to its application. */
export interface Recording {
  readonly label: string;
  readonly user: HttpUser;
  readonly events: readonly BareMessage[];
  readonly accepted: readonly AcceptedRun[];
  /** Resets put a hole where a snapshot takes over; the events behind it are contiguous again. */
  readonly resets: number;
  /** Events that the client had to leave out, because others before them were missing. */
  readonly gaps: number;
  /** The log that the client was told it follows; undefined before its first connection. */
  readonly epoch: string | undefined;
  /** Connects again by itself, so that in the end it has everything. */
  readonly follows: boolean;
  /** The last event applied. */
  readonly appliedSeq: number;
}

/** Records a bare connection. */
export function recordBare(label: string, user: HttpUser, client: BareConnection): Recording {
  return {
    label,
    user,
    events: client.events,
    follows: false,
    get accepted() {
      return client.control.flatMap((message) => acceptedRun(message['result']));
    },
    get resets() {
      return client.control.filter(isReset).length;
    },
    get gaps() {
      return client.gaps;
    },
    get epoch() {
      return client.cursor.epoch === '' ? undefined : client.cursor.epoch;
    },
    get appliedSeq() {
      return client.cursor.seq;
    },
  };
}

/** Records a client of the project: what its listeners are given, and what its commands are answered. */
export function recordClient(label: string, user: HttpUser, client: RunwireClient): Recording {
  const events: BareMessage[] = [];
  const accepted: AcceptedRun[] = [];
  client.onEvent((event) => void events.push(event as unknown as BareMessage));
  const send = client.send.bind(client);
  client.send = async (message) => {
    const result = await send(message);
    accepted.push(...acceptedRun(result));
    return result;
  };
  return {
    label,
    user,
    events,
    accepted,
    // A client that misses something asks for it: its gaps are healed, and what is not shows as a hole.
    gaps: 0,
    get resets() {
      return client.stats.resets;
    },
    get epoch() {
      return client.cursor?.epoch;
    },
    get follows() {
      return FOLLOWING.has(client.state.kind);
    },
    get appliedSeq() {
      return client.cursor?.seq ?? 0;
    },
  };
}

const FOLLOWING: ReadonlySet<string> = new Set(['connecting', 'replaying', 'live', 'waiting', 'offline']);

function isReset({ type, ...rest }: BareMessage): boolean {
  return type === 'reset' || (type === 'connection_established' && rest['resume']?.mode === 'reset');
}

function acceptedRun(result: unknown): readonly AcceptedRun[] {
  const { runId, threadId } = (result ?? {}) as Partial<AcceptedRun>;
  return runId === undefined || threadId === undefined ? [] : [{ runId, threadId }];
}

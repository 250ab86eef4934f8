import type { Clock } from '@runwire/kernel';

/** What an id can name. */
export type IdKind =
  | 'user'
  | 'thread'
  | 'run'
  | 'session'
  | 'request'
  | 'connection'
  | 'message'
  | 'event'
  | 'toolCall';

/**
 * The id of one kind: a string at run time, a type of its own at compile time. Ids come from an
 * {@link IdGenerator}, from `parseIdAs` and `isId`, or from the mapping of a foreign id.
 */
export type IdOf<K extends IdKind> = string & { readonly __kind: K };

/** The id of a user: `usr_…`. */
export type UserId = IdOf<'user'>;
/** The id of a thread: `thr_…`. */
export type ThreadId = IdOf<'thread'>;
/** The id of a run: `run_…`. It carries the key of its thread. */
export type RunId = IdOf<'run'>;
/** The id of a sign-in session: `ses_…`. */
export type SessionId = IdOf<'session'>;
/** The id of a request, which is one command or one HTTP call: `req_…`. */
export type RequestId = IdOf<'request'>;
/** The id of a connection: `con_…`. */
export type ConnectionId = IdOf<'connection'>;
/** The id of a message: `msg_…`. */
export type MessageId = IdOf<'message'>;
/** The id of an event of the log: `evt_…`. */
export type EventId = IdOf<'event'>;
/** The id of a tool call: `tcl_…`. */
export type ToolCallId = IdOf<'toolCall'>;

/**
 * Makes ids. Within one generator ids never repeat, and those of one kind sort in the order of their
 * creation, also when the wall clock jumps back. Between generators they sort by the millisecond.
 * Methods work without `this`.
 */
export interface IdGenerator {
  userId(): UserId;
  threadId(): ThreadId;
  /**
   * A new run of `threadId`.
   *
   * @throws IdError `INVALID_ID`, `WRONG_KIND` when `threadId` is no thread id
   */
  runId(threadId: ThreadId): RunId;
  sessionId(): SessionId;
  requestId(): RequestId;
  connectionId(): ConnectionId;
  messageId(): MessageId;
  eventId(): EventId;
  toolCallId(): ToolCallId;
}

/** What a generator is built from. */
export interface IdGeneratorDeps {
  readonly clock: Clock;
  /**
   * Uniform in [0, 1), read when the generator is created and never again. For tests and simulators that
   * must repeat themselves.
   *
   * @defaultValue the host's cryptographic source, through nanoid
   */
  readonly random?: () => number;
}

/** What an id says of itself. */
export interface ParsedId<K extends IdKind = IdKind> {
  readonly kind: K;
  readonly id: IdOf<K>;
  /** `own`: made by a generator. `uuid`, `subject`: mapped from a foreign id at the door. */
  readonly origin: 'own' | 'uuid' | 'subject';
  /**
   * The millisecond of creation, epoch milliseconds; `undefined` for a mapped id, because a mapping says who
   * is meant, not when they came to be.
   */
  readonly createdAtMs: number | undefined;
  /** The key of the run's thread; `undefined` for other kinds. */
  readonly threadKey: string | undefined;
}

/** Who an outside issuer of identities speaks of. */
export interface ForeignSubject {
  /** The issuer, exactly as its tokens name it (`iss`). */
  readonly issuer: string;
  /** The issuer's id of the user (`sub`); compared character by character. */
  readonly subject: string;
}

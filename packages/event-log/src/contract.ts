import type { EventId, RunId, ThreadId, UserId } from '@runwire/id-generation';
import type { Cursor, EventClass, EventDraft, EventType, ResetReason, StreamInfo } from '@runwire/protocol';

/**
 * Who appends, so that an append is done once whatever is repeated. Runs use their run id, commands
 * `cmd:<command id>`. The key is scoped to the user.
 *
 * A log knows a producer as long as events of its last append can be read, and at least 24 hours after it.
 * It remembers the results of the last 64 appends of the attempt, and of the last one alone once the
 * producer's run has ended.
 */
export interface Producer {
  readonly id: string;
  /** The attempt of the run, 1, 2, 3 …; a lower one than the log has seen is `FENCED`. */
  readonly attempt: number;
  /** Counts this attempt's appends: 1, 2, 3 …; a new attempt starts at 1 again. A refused append does not count. */
  readonly n: number;
}

/** What an append settled to. A repeat (`duplicate`) returns the positions of the first time. */
export interface AppendResult {
  readonly epoch: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly lastId: EventId;
  readonly duplicate: boolean;
}

/** One event as it is sent: encoded once, for every connection and every later read. */
export interface EncodedEvent {
  readonly seq: number;
  readonly id: EventId;
  readonly type: EventType;
  readonly class: EventClass;
  readonly threadId: ThreadId | undefined;
  readonly runId: RunId | undefined;
  /** The event's JSON. */
  readonly json: string;
  /** UTF-8 bytes of `json`. */
  readonly bytes: number;
}

/** What a wake carries: the events of the appends it stands for. */
export interface EncodedBatch {
  readonly epoch: string;
  /** Of the first and the last event; those between follow each other. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Of the last event. */
  readonly lastId: EventId;
  /** At least one. A log that has `lines` makes them when they are asked for. */
  readonly events: readonly EncodedEvent[];
  /** The same in UTF-8, when the log has it at hand. */
  readonly lines?: EncodedLines | undefined;
}

/** The JSON of events in UTF-8, one line each; never to be changed. */
export interface EncodedLines {
  readonly bytes: Uint8Array;
  /** Bytes of each, without its line break. */
  readonly sizes: readonly number[];
}

/** What to read: events after a cursor, up to both limits, at least one when there is one. */
export interface ReadRequest {
  /** `seq: 0` stands before the first event and has no id. The id, if given, must be that of the event at `seq`. */
  readonly after: Cursor;
  readonly limitEvents: number;
  /** Of encoded events. */
  readonly limitBytes: number;
}

/** A page of events, or why the cursor cannot be honoured (protocol §5, in its order). */
export type ReadResult =
  | {
      readonly kind: 'page';
      readonly events: readonly EncodedEvent[];
      /** As those of a batch. */
      readonly lines?: EncodedLines;
      /** The position behind the last event of the page, or of `after` when it is empty; with its id, except at 0. */
      readonly at: Cursor;
      /** The last `seq` of the stream at the time of the read: at head when `at.seq === head`. */
      readonly head: number;
    }
  | { readonly kind: 'reset'; readonly reason: ResetReason; readonly stream: StreamInfo };

/** A run that has started and not ended, as the log knows it. */
export interface OpenRun {
  readonly userId: UserId;
  readonly runId: RunId;
  readonly threadId: ThreadId;
  /** The highest attempt seen. */
  readonly attempt: number;
  /** `seq` of the run's first event, from `agent_started` on, that can be read; `head + 1` when none can. */
  readonly firstSeq: number;
}

/** Listens to a log, for metrics. Called synchronously, before the append settles; must not throw. */
export interface EventLogObserver {
  /** Events were appended: not a repeat. */
  appended?(result: AppendResult): void;
}

/** Undoes one subscription. Repeated calls do nothing. */
export type Unsubscribe = () => void;

/**
 * One durable, ordered stream of events per user.
 *
 * Nothing throws synchronously; after `close` every call rejects with `LOG_CLOSED`. One user's failing
 * append never fails another's.
 */
export interface EventLog extends AsyncDisposable {
  /**
   * Appends all of `drafts` or none, at consecutive `seq`, giving each its `seq`, `id` and `at`. Appends of
   * one user take effect in the order of the calls. Settles when the configured durability is reached;
   * subscribers are woken after that, never before, and in the order of `seq`.
   *
   * What breaks a rule is refused in this order, and leaves no trace.
   *
   * @throws EventLogError `LOG_CLOSED`, `EMPTY_APPEND`, `FENCED` when `attempt` is lower than the last,
   * `PRODUCER_GAP` when `n` skips or is older than what is remembered, `RUN_ENDED` for any event of a run after
   * its terminal one, whatever the attempt (a repeat under the same producer key and `n` is no such event),
   * `EVENT_TOO_LARGE` above 256 KiB, `LOG_WRITE_FAILED` when the storage does not take it: a later append may
   * succeed. A draft that JSON cannot express: `ProtocolError` `NOT_ENCODABLE`.
   */
  append(
    userId: UserId,
    drafts: readonly EventDraft[],
    options?: { readonly producer?: Producer },
  ): Promise<AppendResult>;

  /**
   * Reads one page. Never a silent gap: what cannot be read is a `reset`.
   *
   * @throws EventLogError `LOG_CLOSED`, `LOG_READ_FAILED` when the storage does not give it: a later read may
   * succeed
   */
  read(userId: UserId, request: ReadRequest): Promise<ReadResult>;

  /** Where the user's stream stands. Users have an epoch before their first event. */
  stream(userId: UserId): Promise<StreamInfo>;

  /**
   * Calls `onWake` after each append to this user's stream that settles from now on; appends that settle
   * together may share a wake. Wakes come one after the other, in the order of `seq`, and never inside a call
   * to the log. A wake carries the batch when that directly follows the last wake (at first: the head at
   * subscription); without it the subscriber reads. A duplicate, an erasure and a trim wake nobody.
   *
   * `onWake` may append. It must not throw; if it does, the failure is logged, others are woken all the same,
   * and its next wake carries no batch. After `close` there is nothing to subscribe to, and the call does
   * nothing.
   */
  subscribe(userId: UserId, onWake: (batch?: EncodedBatch) => void): Unsubscribe;

  /** Runs with an `agent_started` and no `agent_completed`: of one user, or of all for recovery. */
  openRuns(userId?: UserId): Promise<readonly OpenRun[]>;

  /**
   * Replaces every event of the thread by `erased` (same `seq`, `id`, `at`; no thread, no run, no data), except
   * `thread_deleted`, which has no data and tells readers that are behind. From its return reads serve
   * `erased`. Open runs of the thread are over: no longer in `openRuns`, and further events of theirs are
   * `RUN_ENDED`. Settles to the number of events replaced. Idempotent.
   */
  erase(userId: UserId, what: { readonly threadId: ThreadId }): Promise<number>;

  /**
   * Makes every event with `seq < before` unreadable. The id of the event at `before - 1` is kept. Beyond the
   * head it stops at the head; below `first` it does nothing.
   */
  trim(userId: UserId, range: { readonly before: number }): Promise<void>;

  /**
   * Finishes appends under way and their wakes, refuses new ones, releases everything: no wake comes after it
   * has settled. Idempotent.
   */
  close(): Promise<void>;
}

/**
 * How much a log keeps per user; beyond it the stream's `first` moves (protocol §7a). What is older than
 * `maxAgeMs` is never served. The newest event is kept whatever its size.
 */
export interface RetentionOptions {
  /** @defaultValue 604_800_000 (7 days) */
  readonly maxAgeMs?: number;
  /** @defaultValue 1_000_000 */
  readonly maxEvents?: number;
  /** @defaultValue 268_435_456 (256 MiB) of encoded events */
  readonly maxBytes?: number;
}

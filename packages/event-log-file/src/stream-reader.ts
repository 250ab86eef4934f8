import {
  checkCursor,
  type EncodedEvent,
  EventLogError,
  type OpenRun,
  type PageLimits,
  type ReadRequest,
  type ReadResult,
} from '@runwire/event-log';
import type { EventId } from '@runwire/id-generation';
import type { Cursor, StreamInfo } from '@runwire/protocol';
import type { DamageList } from './damage-list.js';
import { codeOf } from './errors.js';
import { DamagedRecord, type RecordReader } from './record-reader.js';
import { segmentName } from './segment-format.js';
import type { UserLog } from './user-log.js';

/** What is read at once while something is searched for. */
export const SEARCH_PAGE: PageLimits = Object.freeze({ limitEvents: 1_024, limitBytes: 262_144 });

/** What a stream reader is built from. */
export interface StreamReaderDeps {
  readonly epoch: string;
  readonly records: RecordReader;
  readonly damage: DamageList;
  /** Makes what is below `before` unreadable, and writes down what is left: the rest was lost. */
  readonly giveUp: (user: UserLog, before: number) => void;
}

/**
 * Answers what is asked of a user's stream. A record that turns out to be damaged is reported and given up, and
 * what was asked is answered without it.
 */
export class StreamReader {
  readonly #deps: StreamReaderDeps;
  /**
   * The last event of the page that was read last. Who reads up to the head asks next where the stream stands: this
   * spares reading the head's record again, one read of three in a short resume.
   */
  #lastRead: { readonly user: UserLog; readonly seq: number; readonly id: EventId } | undefined;

  constructor(deps: StreamReaderDeps) {
    this.#deps = deps;
  }

  /** As `EventLog.read`. @throws EventLogError `LOG_READ_FAILED`, as every method here */
  read(user: UserLog, request: ReadRequest): ReadResult {
    return this.#without(user, () => this.#read(user, request));
  }

  /** As `EventLog.stream`. */
  info(user: UserLog): StreamInfo {
    return this.#without(user, () => this.#info(user));
  }

  /** The events after `seq`, or from `first` on when that is higher. */
  page(user: UserLog, seq: number, limits: PageLimits): readonly EncodedEvent[] {
    return this.#without(
      user,
      () => this.#deps.records.page(user, Math.max(seq, user.first - 1), limits).events,
    );
  }

  /** As `page`, with those events below `first` that stand in one record with readable ones. */
  stored(user: UserLog, seq: number, limits: PageLimits): readonly EncodedEvent[] {
    return this.#without(user, () => this.#deps.records.page(user, seq, limits).events);
  }

  /** The id of an event from `first - 1` on; undefined when nobody knows it. */
  idAt(user: UserLog, seq: number): EventId | undefined {
    return this.#without(user, () => this.#deps.records.idAt(user, seq));
  }

  /** As `EventLog.openRuns`, of one user. */
  openRuns(user: UserLog): OpenRun[] {
    return Array.from(user.knownLedger?.openRuns ?? [], ({ startedSeq, ...run }) => ({
      userId: user.userId,
      ...run,
      firstSeq: startedSeq >= user.first ? startedSeq : this.#firstSeqOf(user, run.runId),
    }));
  }

  /** Reports a record as damaged, and makes it and what comes before it unreadable. */
  giveUp(user: UserLog, { place, lastSeq, message: reason }: DamagedRecord): void {
    const { damage, giveUp } = this.#deps;
    const { segment, offset, length } = place;
    damage.add({ segment: segmentName(segment), offset, bytes: length, reason });
    giveUp(user, (lastSeq ?? 0) + 1);
    this.#lastRead = undefined;
    // Nor does it tell the id before the first readable event.
    if (lastSeq === undefined || lastSeq === user.first - 1) user.base = {};
  }

  #read(user: UserLog, request: ReadRequest): ReadResult {
    const { epoch, records } = this.#deps;
    const { after } = request;
    const position = { epoch, first: user.first, head: user.head, headId: null };
    const reason = checkCursor(position, after, (seq) => records.idAt(user, seq));
    if (reason !== undefined) return { kind: 'reset', reason, stream: this.#info(user) };
    const { events, lines } = records.page(user, after.seq, request);
    const at = this.#behind(user, events.at(-1)) ?? this.#cursorAt(user, after.seq);
    return { kind: 'page', events, ...(lines && { lines }), at, head: user.head };
  }

  #info(user: UserLog): StreamInfo {
    const { first, head } = user;
    const headId = head === 0 ? undefined : this.#headId(user);
    return { epoch: this.#deps.epoch, first, head, headId: headId ?? null };
  }

  #headId(user: UserLog): EventId | undefined {
    const known = this.#lastRead;
    return known?.user === user && known.seq === user.head
      ? known.id
      : this.#deps.records.idAt(user, user.head);
  }

  #behind(user: UserLog, last: EncodedEvent | undefined): Cursor | undefined {
    if (last === undefined) return undefined;
    const { seq, id } = last;
    this.#lastRead = { user, seq, id };
    return this.#cursor(seq, id);
  }

  #cursorAt(user: UserLog, seq: number): Cursor {
    return this.#cursor(seq, seq === 0 ? undefined : this.#deps.records.idAt(user, seq));
  }

  #cursor(seq: number, id: EventId | undefined): Cursor {
    const { epoch } = this.#deps;
    return id === undefined ? { epoch, seq } : { epoch, seq, id };
  }

  #firstSeqOf(user: UserLog, runId: string): number {
    for (let seq = user.first - 1; seq < user.head; ) {
      const events = this.page(user, seq, SEARCH_PAGE);
      const found = events.find((event) => event.runId === runId);
      if (found !== undefined) return found.seq;
      seq = events.at(-1)?.seq ?? user.head;
    }
    return user.head + 1;
  }

  /** Each time something is given up, so this comes to an end. */
  #without<T>(user: UserLog, look: () => T): T {
    for (;;) {
      try {
        return look();
      } catch (error) {
        if (!(error instanceof DamagedRecord)) throw readFailed(error);
        this.giveUp(user, error);
      }
    }
  }
}

function readFailed(cause: unknown): EventLogError {
  const code = codeOf(cause);
  return new EventLogError('LOG_READ_FAILED', `The disk did not give the events (${code}).`, {
    cause,
    details: { code },
  });
}

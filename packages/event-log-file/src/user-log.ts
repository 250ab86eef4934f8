import {
  createUserLedger,
  type EncodedEvent,
  encodeErased,
  isErasable,
  type UserLedger,
} from '@runwire/event-log';
import type { EventId, ThreadId, UserId } from '@runwire/id-generation';
import { RecordIndex, type RecordLocation } from './record-index.js';

/** Where a record begins. */
export interface RecordPlace {
  readonly segment: number;
  readonly offset: number;
}

/** The newest state record of a user. */
export interface StateLocation extends RecordPlace {
  readonly length: number;
  /** The stream's `first` when it was written. */
  readonly first: number;
}

/** Where what all users' records take is added up. */
export interface RecordAccounts {
  /** So many bytes more, or fewer, can be read. */
  counted(bytes: number): void;
  /** So many records more, or fewer, are located, in so many bytes more of memory. */
  indexed(records: number, sizeBytes: number): void;
  /** A record is no longer needed. */
  released(segment: number, bytes: number): void;
}

/** Where the id of the event before the first readable one is known from. Empty: nobody knows it. */
export interface BaseSource {
  readonly id?: EventId;
  readonly record?: RecordLocation;
  readonly state?: StateLocation;
}

const NO_ERASURES: ReadonlyMap<ThreadId, number> = new Map();
const NO_BASE: BaseSource = Object.freeze({});

/**
 * What is kept in memory of one user's stream: its position, where its records are, what must be remembered
 * besides events. Nothing here touches the disk.
 */
export class UserLog {
  readonly userId: UserId;
  /** Lowest readable `seq`; `head + 1` when there is none. */
  first = 1;
  /** Last `seq` that has settled. */
  head = 0;
  /** Last `seq` given out, settled or in the group that is being written. */
  reserved = 0;
  /** Number of the last group in which the user has a record, and the place of that in the group. */
  group = 0;
  placeInGroup = 0;
  /** Operations under way that rely on this object. */
  holds = 0;
  /** Bytes of its readable records. */
  bytes = 0;
  /** What of the first record's bytes is no longer counted: events below `first`. */
  #uncounted = 0;
  /** The oldest segment that may hold records of it that are no longer needed; 0 for none. */
  oldestDropped = 0;
  /** By thread: events up to there are served as `erased`, until they are so on the disk too. */
  erasures: ReadonlyMap<ThreadId, number> = NO_ERASURES;
  state: StateLocation | undefined;
  base: BaseSource = NO_BASE;
  readonly #accounts: RecordAccounts;
  #ledger: UserLedger | undefined;
  #index: RecordIndex | undefined;

  constructor(userId: UserId, accounts: RecordAccounts) {
    this.userId = userId;
    this.#accounts = accounts;
  }

  get recordCount(): number {
    return this.#index?.count ?? 0;
  }

  get indexBytes(): number {
    return this.#index?.sizeBytes ?? 0;
  }

  get knownLedger(): UserLedger | undefined {
    return this.#ledger;
  }

  /** The ledger, made when first needed. */
  get ledger(): UserLedger {
    this.#ledger ??= createUserLedger();
    return this.#ledger;
  }

  set ledger(ledger: UserLedger) {
    this.#ledger = ledger.isEmpty ? undefined : ledger;
  }

  /** When its oldest readable record was appended. */
  get oldestAt(): number | undefined {
    return this.#index?.firstAt;
  }

  record(position: number): RecordLocation | undefined {
    return this.#index?.at(position);
  }

  /** Position of the record with the event at `seq`. */
  find(seq: number): number {
    return this.#index?.find(seq) ?? 0;
  }

  /** Takes a record of events that follow the head. */
  push(record: RecordLocation): void {
    this.#index ??= new RecordIndex();
    this.#accounts.indexed(1, this.#index.push(record));
    this.head = record.lastSeq;
    this.reserved = Math.max(this.reserved, this.head);
    this.#count(record.length);
  }

  /** Makes what is below `before` unreadable, at most everything. */
  trim(before: number): void {
    const first = Math.min(before, this.head + 1);
    if (first <= this.first) return;
    this.first = first;
    this.base = NO_BASE;
    for (let record = this.record(0); record !== undefined; record = this.record(0)) {
      if (record.lastSeq >= first) break;
      this.#dropFirst(record);
    }
    if (this.#index?.count === 0) {
      this.#accounts.indexed(0, -this.indexBytes);
      this.#index = undefined;
    }
  }

  /** Makes the first event, one of several in its record, unreadable. */
  trimEvent(bytes: number): void {
    this.trim(this.first + 1);
    this.#uncounted += bytes;
    this.#count(-bytes);
  }

  #dropFirst(record: RecordLocation): void {
    const before = this.indexBytes;
    this.#index?.dropFirst();
    this.#accounts.indexed(-1, this.indexBytes - before);
    this.#count(this.#uncounted - record.length);
    this.#uncounted = 0;
    if (this.oldestDropped === 0) this.oldestDropped = record.segment;
    this.#accounts.released(record.segment, record.length);
    if (record.lastSeq === this.first - 1) this.base = { record };
  }

  /** Goes on behind a gap: what comes before `first` cannot be read any more. */
  restart(first: number): void {
    this.head = first - 1;
    this.reserved = this.head;
    this.trim(first);
    this.base = NO_BASE;
  }

  /** A record was written anew, elsewhere. False when nobody needs it any more. */
  move(lastSeq: number, to: Pick<RecordLocation, 'segment' | 'offset' | 'length'>): boolean {
    const known = this.record(this.find(lastSeq));
    if (known?.lastSeq !== lastSeq) return false;
    this.#index?.move({ lastSeq, at: known.at, ...to });
    const isFirst = known.lastSeq === this.record(0)?.lastSeq;
    if (isFirst && to.length !== known.length) {
      // Nobody knows which of its events became smaller.
      this.#count(this.#uncounted);
      this.#uncounted = 0;
    }
    this.#count(to.length - known.length);
    return true;
  }

  /** Takes note of the newest state record; the one before is no longer needed. */
  setState(state: StateLocation): void {
    if (this.base.state !== undefined) this.base = { state };
    if (this.state !== undefined) this.#accounts.released(this.state.segment, this.state.length);
    this.state = state;
  }

  /** The state record was written anew, elsewhere. False when there is a newer one. */
  moveState(from: RecordPlace, { segment, offset }: RecordPlace): boolean {
    if (this.state?.segment !== from.segment || this.state.offset !== from.offset) return false;
    this.state = { ...this.state, segment, offset };
    if (this.base.state !== undefined) this.base = { state: this.state };
    return true;
  }

  /** The event as it may be served. */
  served(event: EncodedEvent, at: number): EncodedEvent {
    const { threadId, seq } = event;
    if (threadId === undefined || this.erasures.size === 0) return event;
    const isErased = seq <= (this.erasures.get(threadId) ?? 0) && isErasable(event, threadId);
    return isErased ? encodeErased({ seq, id: event.id, at }) : event;
  }

  /** Erases the events of a thread up to `through`. */
  erase(threadId: ThreadId, through: number): void {
    this.erasures = new Map(this.erasures).set(threadId, through);
  }

  /** Gives back memory that nothing needs any more. */
  tidy(monotonicMs: number): void {
    this.#ledger?.forget(this.first, monotonicMs);
    if (this.#ledger?.isEmpty === true) this.#ledger = undefined;
  }

  #count(bytes: number): void {
    this.bytes += bytes;
    this.#accounts.counted(bytes);
  }
}

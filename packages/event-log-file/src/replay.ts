import { type AcceptedAppend, restoreUserLedger } from '@runwire/event-log';
import type { UserId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import type { EventDraft } from '@runwire/protocol';
import type { LogDamage } from './contract.js';
import { isUnreadable, unreadable } from './errors.js';
import { FLAG_LIFECYCLE, RECORD_KIND } from './record-format.js';
import { MEANINGLESS } from './record-reader.js';
import { segmentName } from './segment-format.js';
import {
  type BadBytes,
  isBad,
  payloadOf,
  producerOf,
  type RecordClaim,
  type ScannedRecord,
  SegmentScan,
  userOf,
} from './segment-scan.js';
import type { Segment } from './segments.js';
import { parseState } from './state-record.js';
import { decodeEvents, isLifecycle, lastEventId } from './stored-event.js';
import type { UserLog } from './user-log.js';
import type { Users } from './users.js';

/** What a replay is given. */
export interface ReplayDeps {
  readonly epoch: string;
  readonly clock: Clock;
  readonly users: Users;
  /** Told of bytes that are never served. */
  readonly onDamage: (damage: LogDamage) => void;
  /** Told of each record, after it was taken. */
  readonly onRecord?: (record: ScannedRecord, segment: Segment) => void;
}

/** So many damaged records are asked what they held. */
const MAX_CLAIMS = 10_000;

/** Puts together what the log knew of its users from its segments, one after the other. */
export class Replay {
  /** The highest `at` met. */
  lastAt = 0;
  /** Users whose last events were lost; where they go on must be written down, or it is forgotten again. */
  readonly shortened = new Set<UserLog>();
  readonly #deps: ReplayDeps;
  readonly #claims: RecordClaim[] = [];
  /** What to add to epoch milliseconds to get monotonic ones. */
  readonly #toMonotonicMs: number;

  constructor(deps: ReplayDeps) {
    this.#deps = deps;
    this.#toMonotonicMs = deps.clock.monotonicMs() - deps.clock.nowMs();
  }

  /** Takes the records of a segment. Returns the bytes at its end that are an unfinished write, if there are. */
  take(segment: Segment, range: { readonly from: number; readonly to: number }): BadBytes | undefined {
    const scan = new SegmentScan(segment.file, range);
    for (let met = scan.next(); met !== undefined; met = scan.next()) {
      if (isBad(met)) {
        if (met.kind === 'unfinished') return met;
        this.#takeDamage(segment, met);
        continue;
      }
      this.#takeRecord(segment, met);
    }
    return undefined;
  }

  #takeRecord(segment: Segment, record: ScannedRecord): void {
    const { kind, length } = record.head;
    try {
      if (kind === RECORD_KIND.events) this.#takeEvents(segment, record);
      else if (kind === RECORD_KIND.state) this.#takeState(segment, record);
      else this.#damaged(segment, record.offset, length, `Nobody knows records of kind ${kind}.`);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      this.#giveUp(segment, record);
      return;
    }
    this.#deps.onRecord?.(record, segment);
  }

  /** Its checksum holds, so it is believed how far the user has come: its `seq` are not given out again. */
  #giveUp(segment: Segment, record: ScannedRecord): void {
    const { kind, firstSeq, count, length } = record.head;
    this.#damaged(segment, record.offset, length, MEANINGLESS);
    const user = this.#deps.users.open(userOf(record) as UserId);
    const head = kind === RECORD_KIND.state ? firstSeq : firstSeq + count - 1;
    if (head <= user.head) return;
    user.restart(head + 1);
    this.shortened.add(user);
  }

  /**
   * To be called behind the last segment. Nothing of a damaged record is believed but this: if it seems to hold
   * just the events that would come next for a user, or to say how far the user has come, then that user goes
   * on behind it, rather than give the same `seq` to other events.
   */
  finish(): void {
    const { users } = this.#deps;
    for (const { userId, kind, firstSeq, count } of this.#claims) {
      const isState = kind === RECORD_KIND.state;
      const isFirst = isState || firstSeq === 1;
      const user = isFirst ? users.open(userId as UserId) : users.find(userId as UserId);
      if (user === undefined || (isState ? user.head >= firstSeq : user.head !== firstSeq - 1)) continue;
      user.restart(isState ? firstSeq + 1 : firstSeq + count);
      this.shortened.add(user);
    }
  }

  #damaged(segment: Segment, offset: number, bytes: number, reason: string): void {
    segment.isDamaged = true;
    this.#deps.onDamage({ segment: segmentName(segment.number), offset, bytes, reason });
  }

  #takeDamage(segment: Segment, { offset, bytes, claim }: BadBytes): void {
    this.#damaged(segment, offset, bytes, 'These bytes are no valid record.');
    if (claim !== undefined && isLikely(claim) && this.#claims.length < MAX_CLAIMS) this.#claims.push(claim);
  }

  #takeEvents(segment: Segment, record: ScannedRecord): void {
    const { firstSeq, count, at, length } = record.head;
    const user = this.#deps.users.open(userOf(record) as UserId);
    if (firstSeq <= user.head || count === 0) {
      this.#damaged(segment, record.offset, length, `Its events from ${firstSeq} on were in the log before.`);
      return;
    }
    const accepted = this.#acceptedIn(record);
    // Before the first record of a user only compaction, or damage, can have removed any.
    if (firstSeq > user.head + 1) user.restart(firstSeq);
    const lastSeq = firstSeq + count - 1;
    user.push({ lastSeq, at, segment: segment.number, offset: record.offset, length });
    segment.liveBytes += length;
    this.lastAt = Math.max(this.lastAt, at);
    if (accepted !== undefined) user.ledger.record(accepted, at + this.#toMonotonicMs);
  }

  /** What the ledger was told when the record was written; undefined when that was nothing. */
  #acceptedIn(record: ScannedRecord): AcceptedAppend | undefined {
    const { flags, firstSeq, count, attempt, n } = record.head;
    const id = producerOf(record);
    const drafts = (flags & FLAG_LIFECYCLE) === 0 ? [] : draftsOf(record);
    if (id === undefined && drafts.length === 0) return undefined;
    const { from, to } = payloadOf(record);
    const lastId = lastEventId(record.source, from, to);
    const lastSeq = firstSeq + count - 1;
    const result = { epoch: this.#deps.epoch, firstSeq, lastSeq, lastId, duplicate: false };
    const producer = id === undefined ? undefined : { id, attempt, n };
    return { drafts, producer, result };
  }

  #takeState(segment: Segment, record: ScannedRecord): void {
    const { at, length, firstSeq: head } = record.head;
    const user = this.#deps.users.open(userOf(record) as UserId);
    const { from, to } = payloadOf(record);
    const state = parseState(record.source.toString('utf8', from, to));
    segment.liveBytes += length;
    this.lastAt = Math.max(this.lastAt, at);
    user.setState({ segment: segment.number, offset: record.offset, length, first: state.first });
    // Events that it knew of and that are not there can only be below `first`, or lost.
    if (head > user.head) user.restart(head + 1);
    user.trim(state.first);
    if (user.first === state.first) user.base = state.baseId === null ? {} : { id: state.baseId };
    user.erasures = new Map(state.erasures.map(({ threadId, through }) => [threadId, through]));
    user.ledger = restoreUserLedger(state.ledger, {
      epoch: this.#deps.epoch,
      nowMs: at + this.#toMonotonicMs,
    });
  }
}

/** Whether what a damaged record says of itself fits together. */
function isLikely({ kind, count, lines }: RecordClaim): boolean {
  if (kind === RECORD_KIND.events) return count === lines;
  return kind === RECORD_KIND.state && count === 0 && lines === 1;
}

/** In place of a draft of which the ledger reads nothing but that it is there. */
const OTHER: EventDraft = { type: 'thread_updated', data: {} };

/**
 * What the ledger reads of drafts stands in the encoded events as well. Only those with which runs begin and end
 * are parsed: to parse them all was most of the time that a log took to open.
 */
function draftsOf(record: ScannedRecord): readonly EventDraft[] {
  const { from, to } = payloadOf(record);
  return decodeEvents(record.source, from, to).map((event) =>
    isLifecycle(event.type) ? draftOf(event.json) : OTHER,
  );
}

function draftOf(json: string): EventDraft {
  let draft: EventDraft;
  try {
    draft = JSON.parse(json) as EventDraft;
  } catch (cause) {
    throw unreadable('one of its events is no JSON', cause);
  }
  if (typeof draft.data !== 'object' || draft.data === null)
    throw unreadable('one of its events has no data');
  return draft;
}

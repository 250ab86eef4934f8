import { Buffer } from 'node:buffer';
import type { EncodedEvent, PageLimits } from '@runwire/event-log';
import type { EventId } from '@runwire/id-generation';
import { isUnreadable } from './errors.js';
import { decodeRecordHead } from './record-format.js';
import type { RecordLocation } from './record-index.js';
import { payloadOf, userOf } from './segment-scan.js';
import type { Segments } from './segments.js';
import { parseState } from './state-record.js';
import { decodeEvents, eventsIn, lastEventId } from './stored-event.js';
import { StoredPage } from './stored-page.js';
import type { StateLocation, UserLog } from './user-log.js';

/** Records of one user this close together are read with one system call. */
const MAX_SPAN_BYTES = 512 * 1_024;
const MAX_SPAN_GAP_BYTES = 16 * 1_024;
const INITIAL_SCRATCH_BYTES = 65_536;

const CHANGED = 'The record has changed since it was written.';
/** Its checksum holds, and nobody can understand it. */
export const MEANINGLESS = 'The record is valid, and what it says is not.';

/** Where a record should be. */
type Place = Pick<RecordLocation, 'segment' | 'offset' | 'length'>;

/** A record that is not on the disk as it was written; the message says what is wrong with it. */
export class DamagedRecord extends Error {
  override readonly name = 'DamagedRecord';
  readonly place: Place;
  /** Of its last event; undefined for a state record. */
  readonly lastSeq: number | undefined;

  constructor(place: Place, lastSeq: number | undefined, reason: string = CHANGED) {
    super(reason);
    this.place = place;
    this.lastSeq = lastSeq;
  }
}

/** A record in memory, checked. */
interface StoredRecord {
  readonly place: RecordLocation | StateLocation;
  readonly source: Buffer;
  /** Where its payload begins and ends. */
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

/**
 * Reads records by their place, and checks each again: what has been damaged since is not served. Throws
 * `DamagedRecord`, and what the disk throws.
 */
export class RecordReader {
  readonly #segments: Segments;
  #scratch = Buffer.allocUnsafeSlow(INITIAL_SCRATCH_BYTES);

  constructor(segments: Segments) {
    this.#segments = segments;
  }

  /** The events after `seq` that fit the limits, at least one when there is one. */
  page(user: UserLog, seq: number, limits: PageLimits): Pick<StoredPage, 'events' | 'lines'> {
    const page = new StoredPage(seq, limits);
    for (let position = user.find(seq + 1); position < user.recordCount; ) {
      const span = this.#readSpan(user, position, page.room);
      page.records.expect(span.reduce((bytes, { place }) => bytes + place.length, 0));
      for (const record of span) {
        addEvents(page, record, user);
        // The next record is not looked at when none of it is wanted.
        if (page.isFull) break;
      }
      if (page.isFull) break;
      position += span.length;
    }
    // What is served instead of an erased event does not stand in the record.
    return user.erasures.size === 0 ? page : { events: page.events, lines: undefined };
  }

  /** The id of the event at `seq`, from `first - 1` to the head; undefined when nobody knows it. */
  idAt(user: UserLog, seq: number): EventId | undefined {
    if (seq === user.first - 1) return this.#baseId(user);
    return this.#idIn(user.record(user.find(seq)), user, seq);
  }

  #baseId(user: UserLog): EventId | undefined {
    const { id, record, state } = user.base;
    if (id !== undefined) return id;
    const seq = user.first - 1;
    const found =
      state === undefined
        ? this.#idIn(record ?? user.record(user.find(seq)), user, seq)
        : this.#baseIdIn(state, user);
    if (found !== undefined) user.base = { id: found };
    return found;
  }

  #baseIdIn(state: StateLocation, user: UserLog): EventId | undefined {
    const record = checked(state, user, this.#read(state, state.length));
    const { source, from, to } = record;
    return understood(record, () => parseState(source.toString('utf8', from, to))).baseId ?? undefined;
  }

  #idIn(record: RecordLocation | undefined, user: UserLog, seq: number): EventId | undefined {
    if (record === undefined) return undefined;
    const stored = checked(record, user, this.#read(record, record.length));
    const { source, from, to } = stored;
    // Of most that are asked for, the head above all, nothing comes after them in their record.
    if (seq === record.lastSeq) return understood(stored, () => lastEventId(source, from, to));
    return storedEvents(stored).find((event) => event.seq === seq)?.id;
  }

  /** The records from `position` on that lie close together, up to about what is wanted. */
  #readSpan(
    user: UserLog,
    position: number,
    wanted: { readonly bytes: number; readonly events: number },
  ): StoredRecord[] {
    const first = user.record(position);
    if (first === undefined) return [];
    const records = [first];
    let end = first.offset + first.length;
    let useful = first.length;
    while (useful < wanted.bytes && records.length < wanted.events) {
      const next = user.record(position + records.length);
      if (next === undefined || next.segment !== first.segment) break;
      const length = next.offset + next.length - first.offset;
      if (next.offset - end > MAX_SPAN_GAP_BYTES || length > MAX_SPAN_BYTES) break;
      records.push(next);
      end = next.offset + next.length;
      useful += next.length;
    }
    const source = this.#read(first, end - first.offset);
    return records.map((record) => {
      const start = record.offset - first.offset;
      return checked(record, user, source.subarray(start, start + record.length));
    });
  }

  /** Valid until the next read. */
  #read(place: Place, length: number): Buffer {
    const segment = this.#segments.get(place.segment);
    if (segment === undefined) return Buffer.alloc(0);
    const target = this.#room(length);
    return target.subarray(0, segment.file.read(target, place.offset));
  }

  #room(length: number): Buffer {
    if (length > MAX_SPAN_BYTES) return Buffer.allocUnsafeSlow(length);
    if (length > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(length);
    return this.#scratch.subarray(0, length);
  }
}

function addEvents(page: StoredPage, record: StoredRecord, user: UserLog): void {
  const { records } = page;
  let at = records.add(record.source, record);
  const range = { from: at, to: at + record.to - record.from };
  for (const event of understood(record, () => eventsIn(records, range))) {
    page.add(user.served(event, record.at), at);
    at += event.bytes + 1;
  }
}

function storedEvents(stored: StoredRecord): EncodedEvent[] {
  return understood(stored, () => decodeEvents(stored.source, stored.from, stored.to));
}

/** A record that says what no record says is damaged, whatever its checksum. */
function understood<T>({ place }: StoredRecord, look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    throw new DamagedRecord(place, 'lastSeq' in place ? place.lastSeq : undefined, MEANINGLESS);
  }
}

/** Besides the checksum: another user's record must never pass for one that was there. */
function checked(place: RecordLocation | StateLocation, user: UserLog, source: Buffer): StoredRecord {
  const lastSeq = 'lastSeq' in place ? place.lastSeq : undefined;
  const head = decodeRecordHead(source, 0, source.length);
  const record = head?.length === place.length ? { head, source, start: 0 } : undefined;
  if (record === undefined || userOf(record) !== user.userId) throw new DamagedRecord(place, lastSeq);
  const { firstSeq, count, at } = record.head;
  if (lastSeq !== undefined && firstSeq + count - 1 !== lastSeq) throw new DamagedRecord(place, lastSeq);
  return { place, source, at, ...payloadOf(record) };
}

import type { UserId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import type { LogDisk } from './disk.js';
import { isUnreadable } from './errors.js';
import type { GroupWriter } from './group-writer.js';
import { DamagedRecord, MEANINGLESS } from './record-reader.js';
import { SegmentRewrite } from './segment-rewrite.js';
import { isBad, type ScannedRecord, SegmentScan, userOf } from './segment-scan.js';
import { SegmentSurvey } from './segment-survey.js';
import type { Segment, Segments } from './segments.js';
import type { StreamReader } from './stream-reader.js';
import type { Syncer } from './syncer.js';
import type { UserLog } from './user-log.js';
import type { Users } from './users.js';

/** What writing segments anew works on. */
export interface SegmentCompactionDeps {
  readonly clock: Clock;
  readonly disk: LogDisk;
  readonly segments: Segments;
  readonly users: Users;
  readonly reader: StreamReader;
  readonly writer: GroupWriter;
  readonly syncer: Syncer;
  /** Writes a new state record of the user. */
  readonly restate: (user: UserLog) => Promise<unknown>;
}

/** So many bytes are handled before others get their turn. */
const SLICE_BYTES = 1_048_576;
/** So many users are written down before others get their turn. */
const SLICE_USERS = 256;

/** The log was closed in the middle of a pass. */
export class Stopped extends Error {}

/**
 * Writes segments anew without what nobody can read any more. What later starts must still know of the records
 * that go is made durable first, as a state record of each user concerned.
 */
export class SegmentCompaction {
  readonly #deps: SegmentCompactionDeps;
  readonly #isStopped: () => boolean;

  constructor(deps: SegmentCompactionDeps, isStopped: () => boolean) {
    this.#deps = deps;
    this.#isStopped = isStopped;
  }

  /** Writes neighbouring segments anew as one. Each round that ends early has given something up. */
  async compact(parts: readonly Segment[]): Promise<void> {
    for (;;) {
      try {
        return await this.#compact(parts);
      } catch (cause) {
        if (!isUnreadable(cause)) throw cause;
      }
    }
  }

  async #compact(parts: readonly Segment[]): Promise<void> {
    const [into, ...others] = parts;
    if (into === undefined) return;
    const { segments, syncer } = this.#deps;
    const { failures } = syncer;
    await this.#seal(parts);
    const erased = parts.filter(({ holdsErased }) => holdsErased);
    for (const part of parts) part.holdsErased = false;
    const rewrite = new SegmentRewrite(this.#deps, into, others);
    try {
      const survey = new SegmentSurvey(this.#deps);
      for (const part of parts) await this.#scan(part, (record) => survey.look(record, part));
      await this.restateAll(survey.restated);
      await syncer.sync();
      if (syncer.failures > failures) {
        throw new Error('The disk did not sync what the records that go leave behind.');
      }
      for (const part of parts)
        await this.#scan(part, (record) => this.#keep(record, part, { survey, rewrite }));
      await rewrite.finish();
      this.#resolveBases(survey.seen, parts);
      // Set again while the records were being copied.
      into.holdsErased = parts.some(({ holdsErased }) => holdsErased);
      rewrite.takePlace();
    } catch (cause) {
      rewrite.abandon();
      for (const part of erased) part.holdsErased = true;
      throw cause;
    }
    await segments.syncFolder();
    segments.removeSuperfluous();
  }

  /** From then on nothing is written to any of them. */
  async #seal(parts: readonly Segment[]): Promise<void> {
    const { segments, writer } = this.#deps;
    for (const part of parts) part.isSealed = true;
    await writer.landed();
    if (segments.active !== undefined && parts.includes(segments.active)) segments.begin();
  }

  /** Writes down again what is known of users. */
  async restateAll(users: ReadonlySet<UserLog>): Promise<void> {
    const { restate, clock } = this.#deps;
    let slice: Promise<unknown>[] = [];
    for (const user of users) {
      slice.push(restate(user));
      if (slice.length < SLICE_USERS) continue;
      await Promise.all(slice);
      slice = [];
      await new Promise<void>((resolve) => clock.nextTurn(resolve));
      if (this.#isStopped()) throw new Stopped();
    }
    await Promise.all(slice);
  }

  /** Ids that were not looked up yet are looked up while their record can still be found. */
  #resolveBases(users: ReadonlySet<UserLog>, parts: readonly Segment[]): void {
    for (const user of users) {
      const { record } = user.base;
      if (!parts.some((part) => part.number === record?.segment)) continue;
      if (this.#deps.reader.idAt(user, user.first - 1) === undefined) user.base = {};
    }
  }

  /** A record that cannot be understood is damage; what is left of its user must be durable before it goes. */
  #keep(
    record: ScannedRecord,
    part: Segment,
    { survey, rewrite }: { readonly survey: SegmentSurvey; readonly rewrite: SegmentRewrite },
  ): void {
    try {
      survey.keep(record, part, rewrite);
    } catch (cause) {
      const { users, reader } = this.#deps;
      const { length, firstSeq, count } = record.head;
      const place = { segment: part.number, offset: record.offset, length };
      const user = users.get(userOf(record) as UserId);
      if (isUnreadable(cause))
        reader.giveUp(user, new DamagedRecord(place, firstSeq + count - 1, MEANINGLESS));
      throw cause;
    }
  }

  /** Visits the records of a segment, a slice a turn. */
  async #scan(segment: Segment, visit: (record: ScannedRecord) => void): Promise<void> {
    const scan = new SegmentScan(segment.file, { from: segment.headerBytes, to: segment.end });
    let slice = 0;
    for (let met = scan.next(); met !== undefined; met = scan.next()) {
      if (this.#isStopped()) throw new Stopped();
      if (isBad(met)) continue;
      visit(met);
      slice += met.head.length;
      if (slice < SLICE_BYTES) continue;
      slice = 0;
      await new Promise<void>((resolve) => this.#deps.clock.nextTurn(resolve));
    }
  }
}

import type { UserId } from '@runwire/id-generation';
import { RECORD_KIND } from './record-format.js';
import type { SegmentRewrite } from './segment-rewrite.js';
import { type ScannedRecord, userOf } from './segment-scan.js';
import type { Segment, Segments } from './segments.js';
import type { UserLog } from './user-log.js';
import type { Users } from './users.js';

/** Which records of some neighbouring segments are kept when they are written anew. */
export class SegmentSurvey {
  /** Users of whom something is to be written down again before the segments go. */
  readonly restated = new Set<UserLog>();
  /** Users with events here. */
  readonly seen = new Set<UserLog>();
  readonly #users: Users;
  readonly #segments: Segments;
  /** Users of whom records go: the lowest `seq` that is kept. */
  readonly #keptFrom = new Map<UserLog, number>();
  /** By segment: offsets of the state records that were the newest of their users. */
  readonly #states = new Map<Segment, Set<number>>();

  constructor(log: { readonly users: Users; readonly segments: Segments }) {
    this.#users = log.users;
    this.#segments = log.segments;
  }

  /** To be shown every record first. */
  look(record: ScannedRecord, segment: Segment): void {
    const { kind, firstSeq, count } = record.head;
    const userId = userOf(record) as UserId;
    if (kind === RECORD_KIND.state) this.#lookAtState(userId, segment, record.offset);
    if (kind !== RECORD_KIND.events) return;
    const user = this.#users.get(userId);
    this.seen.add(user);
    if (firstSeq + count > user.first) return;
    if (!this.#keptFrom.has(user)) this.#keptFrom.set(user, user.first);
    if (this.#isStale(user)) this.restated.add(user);
  }

  /** To be shown every record again, when what was to be written down has been: takes over what is kept. */
  keep(record: ScannedRecord, segment: Segment, rewrite: SegmentRewrite): void {
    const userId = userOf(record) as UserId;
    const { head, offset } = record;
    if (head.kind === RECORD_KIND.state) {
      // Also one that was replaced since: the one that replaced it may not be on the hardware yet.
      if (this.#states.get(segment)?.has(offset)) rewrite.addState(record, userId, segment);
    } else if (head.kind === RECORD_KIND.events) {
      const user = this.#users.get(userId);
      const lastSeq = head.firstSeq + head.count - 1;
      if (this.#isKept(user, lastSeq, { segment, offset })) rewrite.add(record, user);
    }
  }

  #lookAtState(userId: UserId, segment: Segment, offset: number): void {
    const state = this.#users.stateOf(userId);
    if (state?.segment !== segment.number || state.offset !== offset) return;
    const offsets = this.#states.get(segment) ?? new Set();
    this.#states.set(segment, offsets.add(offset));
  }

  /** What could be read when the survey was made says something that no state record does, even if it went since. */
  #isKept(
    user: UserLog,
    lastSeq: number,
    place: { readonly segment: Segment; readonly offset: number },
  ): boolean {
    if (lastSeq < user.first) return lastSeq >= (this.#keptFrom.get(user) ?? 0);
    const known = user.record(user.find(lastSeq));
    return known?.segment === place.segment.number && known.offset === place.offset;
  }

  /** Whether no state record, which stays where it is or is taken over, says what must be known of records that go. */
  #isStale({ state, first }: UserLog): boolean {
    if (state === undefined || state.first < first) return true;
    return this.#segments.get(state.segment)?.isDoubtful !== false;
  }
}

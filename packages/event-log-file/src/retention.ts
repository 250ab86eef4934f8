import type { EncodedEvent, PageLimits, RetentionOptions } from '@runwire/event-log';
import type { Clock, TimerHandle } from '@runwire/kernel';
import type { UserLog } from './user-log.js';
import type { Users } from './users.js';

/** What retention works on. */
export interface RetentionDeps {
  readonly clock: Clock;
  readonly users: Users;
  /** The events after `seq`. @throws EventLogError `LOG_READ_FAILED` */
  readonly page: (user: UserLog, seq: number, limits: PageLimits) => readonly EncodedEvent[];
  /** Records can no longer be read, and may leave the disk. */
  readonly onDropped: () => void;
  /** Whether users may be put to sleep now. */
  readonly mayRest: () => boolean;
}

/** How much is kept. */
export interface RetentionLimits {
  readonly perUser: Readonly<Required<RetentionOptions>>;
  readonly maxTotalBytes: number;
}

/** How often time alone is looked at: what grew old, what may be forgotten. */
const TIDY_INTERVAL_MS = 60 * 60 * 1_000;
/** So many users are looked at before others get their turn. */
const TIDY_SLICE = 10_000;
/** Below the limit by so much, so that not every append has to look again. */
const TOTAL_SLACK = 0.95;

/** Moves streams' `first` as they grow and as time passes. */
export class Retention {
  readonly #deps: RetentionDeps;
  readonly #limits: RetentionLimits;
  /** All users' bytes at which the total is looked at next. */
  #nextTotalBytes: number;
  #timer: TimerHandle | undefined;
  #isClosed = false;

  constructor(deps: RetentionDeps, limits: RetentionLimits) {
    this.#deps = deps;
    this.#limits = limits;
    this.#nextTotalBytes = limits.maxTotalBytes;
  }

  /** Brings everybody into the limits, and looks at time from now on. */
  start(): void {
    const { clock, users } = this.#deps;
    const nowMs = clock.nowMs();
    for (const user of users.all()) {
      this.#limit(user, nowMs);
      this.#forget(user);
    }
    if (users.bytes > this.#nextTotalBytes) this.#limitTotal();
    if (users.awakeCount > 0) this.#tidyLater();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** Makes what is below `before` unreadable. */
  trim(user: UserLog, before: number): void {
    this.#drop(user, () => user.trim(before));
  }

  /** Makes what is too old by now unreadable. Returns the user. */
  expire(user: UserLog, nowMs = this.#deps.clock.nowMs()): UserLog {
    const oldestKept = nowMs - this.#limits.perUser.maxAgeMs;
    const { oldestAt } = user;
    // Somebody looked at a user who may have been asleep.
    if (oldestAt === undefined && user.head > 0) this.#tidyLater();
    if (oldestAt === undefined || oldestAt >= oldestKept) return user;
    this.#drop(user, () => {
      for (let record = user.record(0); record !== undefined; record = user.record(0)) {
        if (record.at >= oldestKept) return;
        user.trim(record.lastSeq + 1);
      }
    });
    return user;
  }

  /** Brings a user who has appended, and all together, back into the limits. The newest event stays. */
  appended(user: UserLog, nowMs: number): void {
    this.#limit(user, nowMs);
    if (this.#deps.users.bytes > this.#nextTotalBytes) this.#limitTotal();
    this.#tidyLater();
  }

  #limit(user: UserLog, nowMs: number): void {
    const { maxEvents, maxBytes } = this.#limits.perUser;
    this.expire(user, nowMs);
    if (user.head - user.first + 1 > maxEvents) this.trim(user, user.head - maxEvents + 1);
    if (user.bytes > maxBytes) this.#drop(user, () => this.#trimToBytes(user));
  }

  /** Gives back memory that nothing needs any more. */
  #forget(user: UserLog): void {
    const { clock, users, mayRest } = this.#deps;
    user.tidy(clock.monotonicMs());
    if (mayRest()) users.rest(user);
  }

  #drop(user: UserLog, drop: () => void): void {
    const before = user.bytes;
    drop();
    if (before > user.bytes) this.#deps.onDropped();
  }

  /** Drops whole records while that is not too much, then single events of the oldest. */
  #trimToBytes(user: UserLog): void {
    const { maxBytes } = this.#limits.perUser;
    while (user.bytes > maxBytes && user.first < user.head) {
      const record = user.record(0);
      if (record === undefined) return;
      const isLastOfRecord = record.lastSeq === user.first;
      const isTooMuch = record.lastSeq >= user.head || user.bytes - record.length < maxBytes;
      if (isLastOfRecord || !isTooMuch) user.trim(record.lastSeq + 1);
      else if (!this.#trimEvents(user, record.lastSeq)) return;
    }
  }

  /** Drops events of the first record but its last. False when none was. */
  #trimEvents(user: UserLog, lastSeq: number): boolean {
    const { first } = user;
    const limits = { limitEvents: lastSeq - first, limitBytes: Number.POSITIVE_INFINITY };
    for (const event of this.#readable(user, limits)) {
      if (user.bytes <= this.#limits.perUser.maxBytes || event.seq !== user.first) break;
      user.trimEvent(event.bytes);
    }
    return user.first > first;
  }

  #readable(user: UserLog, limits: PageLimits): readonly EncodedEvent[] {
    try {
      return this.#deps.page(user, user.first - 1, limits);
    } catch {
      // A disk that does not give them now is asked again with the next append.
      return [];
    }
  }

  /** Brings the users with the most bytes down to one level, so that all together are within the limit. */
  #limitTotal(): void {
    const { users } = this.#deps;
    const { maxTotalBytes } = this.#limits;
    const largest = [...users.all()].sort((a, b) => b.bytes - a.bytes);
    const level = levelOf(largest, users.bytes - maxTotalBytes * TOTAL_SLACK);
    for (const user of largest) {
      if (user.bytes <= level) break;
      this.#drop(user, () => {
        for (let record = user.record(0); record !== undefined; record = user.record(0)) {
          if (user.bytes <= level || record.lastSeq >= user.head) return;
          user.trim(record.lastSeq + 1);
        }
      });
    }
    // Newest events stay. What they take in all cannot be brought down, so it is not tried with every append.
    this.#nextTotalBytes = Math.max(maxTotalBytes, users.bytes / TOTAL_SLACK);
  }

  /** One timer while there is something to grow old, none otherwise. */
  #tidyLater(): void {
    if (this.#isClosed) return;
    const intervalMs = Math.min(TIDY_INTERVAL_MS, this.#limits.perUser.maxAgeMs);
    this.#timer ??= this.#deps.clock.setTimer(intervalMs, () => {
      this.#timer = undefined;
      void this.#tidy();
    });
  }

  async #tidy(): Promise<void> {
    const { clock, users } = this.#deps;
    let looked = 0;
    for (const user of users.all()) {
      this.expire(user);
      this.#forget(user);
      looked += 1;
      if (looked % TIDY_SLICE === 0) await new Promise<void>((resolve) => clock.nextTurn(resolve));
      if (this.#isClosed) return;
    }
    if (users.awakeCount > 0) this.#tidyLater();
  }
}

/** The level to which the largest, which come first, must come down for `excess` bytes to go. */
export function levelOf(largest: readonly Pick<UserLog, 'bytes'>[], excess: number): number {
  let lowered = 0;
  let left = excess;
  for (const user of largest) {
    lowered += 1;
    left -= user.bytes;
    const level = -left / lowered;
    if (level >= (largest[lowered]?.bytes ?? 0)) return level;
  }
  return 0;
}

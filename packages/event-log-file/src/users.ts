import type { UserId } from '@runwire/id-generation';
import { SleepingUsers } from './sleeping-users.js';
import { type RecordAccounts, type RecordPlace, type StateLocation, UserLog } from './user-log.js';

/**
 * The streams of all users. One of which nothing can be read any more is put to sleep, and woken by whoever asks
 * for it.
 */
export class Users {
  /** Bytes of all readable records. */
  bytes = 0;
  /** How many those are. */
  records = 0;
  /** What locating them takes in memory. */
  indexBytes = 0;
  readonly #awake = new Map<UserId, UserLog>();
  readonly #sleeping = new SleepingUsers();
  readonly #accounts: RecordAccounts;
  /** Stands for every user who never appended anything; nothing is ever put into it. */
  readonly #unused: UserLog;

  constructor(released: RecordAccounts['released']) {
    const counted = (bytes: number): void => {
      this.bytes += bytes;
    };
    const indexed = (records: number, sizeBytes: number): void => {
      this.records += records;
      this.indexBytes += sizeBytes;
    };
    this.#accounts = { counted, indexed, released };
    this.#unused = new UserLog('' as UserId, this.#accounts);
  }

  get count(): number {
    return this.#awake.size + this.#sleeping.count;
  }

  get awakeCount(): number {
    return this.#awake.size;
  }

  /** Those that are not asleep. */
  all(): IterableIterator<UserLog> {
    return this.#awake.values();
  }

  /** The user's stream; undefined for one never seen. */
  find(userId: UserId): UserLog | undefined {
    return this.#awake.get(userId) ?? this.#wake(userId);
  }

  /** The user's stream, empty for one never seen; only to be looked at. */
  get(userId: UserId): UserLog {
    return this.find(userId) ?? this.#unused;
  }

  /** The user's stream, made when there is none. */
  open(userId: UserId): UserLog {
    const known = this.find(userId);
    if (known !== undefined) return known;
    const user = new UserLog(userId, this.#accounts);
    this.#awake.set(userId, user);
    return user;
  }

  /** The user's newest state record. Wakes nobody. */
  stateOf(userId: UserId): StateLocation | undefined {
    const user = this.#awake.get(userId) ?? this.#sleeping.get(userId);
    return user?.state;
  }

  /** A state record was written anew, elsewhere. False when there is a newer one. Wakes nobody. */
  moveState(userId: UserId, from: RecordPlace, to: RecordPlace): boolean {
    const awake = this.#awake.get(userId);
    if (awake !== undefined) return awake.moveState(from, to);
    const sleeping = this.#sleeping.get(userId);
    if (sleeping?.state.segment !== from.segment || sleeping.state.offset !== from.offset) return false;
    const { segment, offset } = to;
    this.#sleeping.set(userId, { ...sleeping, state: { ...sleeping.state, segment, offset } });
    return true;
  }

  /** Puts a user to sleep of whom all is in its state record, and forgets one whose every append was refused. */
  rest(user: UserLog): void {
    const { userId, state, first, head, oldestDropped, holds } = user;
    if (holds > 0 || user.recordCount > 0 || user.erasures.size > 0) return;
    if (user.knownLedger !== undefined) return;
    const isUnused = head === 0 && state === undefined;
    const isWrittenDown = state !== undefined && state.first === first;
    if (!isUnused && !isWrittenDown) return;
    this.#awake.delete(userId);
    if (isWrittenDown) this.#sleeping.set(userId, { head, state, oldestDropped });
  }

  #wake(userId: UserId): UserLog | undefined {
    const sleeping = this.#sleeping.get(userId);
    if (sleeping === undefined) return undefined;
    const user = new UserLog(userId, this.#accounts);
    user.restart(sleeping.head + 1);
    user.state = sleeping.state;
    user.base = { state: sleeping.state };
    user.oldestDropped = sleeping.oldestDropped;
    this.#sleeping.delete(userId);
    this.#awake.set(userId, user);
    return user;
  }
}

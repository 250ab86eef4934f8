import type { RecordBuffer } from './record-buffer.js';
import type { UserLog } from './user-log.js';

/** Where the record of an item was written. */
export interface Written {
  readonly segment: number;
  readonly offset: number;
  /** When, by the monotonic clock. */
  readonly writtenAtMs: number;
}

/** Something to be written for one user, in its turn. */
export interface WriteItem {
  readonly user: UserLog;
  /** Events in it. */
  readonly count: number;
  /** Offset in the group that it is written with; set by the writer, like `earlierInGroup`. */
  offsetInGroup: number;
  /** The item of the same user before it in the group; -1 for none. */
  earlierInGroup: number;
  /**
   * Whether what this item may do is known only when `earlier`, an item of the same user, has been written:
   * then they cannot be in one group.
   */
  waitsFor(earlier: WriteItem): boolean;
  /**
   * Puts the record into the buffer. Returns its bytes; 0 when there is nothing to write, and all is done.
   *
   * @param at - the time of all records of the group, epoch milliseconds: never before that of the last one
   * @throws why it is refused; then the buffer is as it was
   */
  encode(target: RecordBuffer, at: number): number;
  /** The record is where it was to go. Does not throw. */
  written(where: Written): void;
  /** It was refused, or the disk did not take it; nothing of it happened. */
  failed(error: unknown): void;
}

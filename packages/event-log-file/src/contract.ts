import type { EventLog, EventLogObserver, RetentionOptions } from '@runwire/event-log';
import type { IdGenerator } from '@runwire/id-generation';
import type { Clock, Logger } from '@runwire/kernel';
import type { LogDisk } from './disk.js';

/** What a file log is made of. */
export interface FileEventLogDeps {
  readonly clock: Clock;
  readonly ids: Pick<IdGenerator, 'eventId'>;
  readonly logger: Logger;
  readonly observer?: EventLogObserver;
  /** @defaultValue the folder `options.directory` of the machine's own file system */
  readonly disk?: LogDisk;
}

/**
 * When written events are forced to the hardware. With each, an append has settled and is shown only after its
 * bytes were handed to the operating system, so nothing of it is lost when the process dies.
 *
 * - `never`: the operating system decides. A power loss can take the last half minute.
 * - `interval`: once a second while there is something to force. A power loss can take the last second.
 * - `always`: before an append settles. A power loss takes nothing.
 *
 * An erasure settles when it is on the hardware, except with `never`.
 *
 * After a power loss that took events, clients that had seen them get `reset` with `ahead` or `fork`.
 */
export type FsyncPolicy = 'never' | 'interval' | 'always';

/** Where the log is, and what it may cost. */
export interface FileEventLogOptions {
  /** The folder; made when there is none. One process at a time has it. */
  readonly directory: string;
  /** @defaultValue 'interval' */
  readonly fsync?: FsyncPolicy;
  /** @defaultValue 1_000 */
  readonly fsyncIntervalMs?: number;
  /** How much is kept per user. */
  readonly retention?: RetentionOptions;
  /** UTF-8 bytes of one encoded event; then `EVENT_TOO_LARGE`. @defaultValue 262_144 (256 KiB) */
  readonly maxEventBytes?: number;
  /** Bytes after which a new segment is begun. @defaultValue 67_108_864 (64 MiB) */
  readonly maxSegmentBytes?: number;
  /**
   * Bytes of all users' readable records together; beyond it `first` of the users with the most moves.
   *
   * @defaultValue 17_179_869_184 (16 GiB)
   */
  readonly maxTotalBytes?: number;
  /**
   * Appends, erasures and trims that may wait for a sync that is under way, with `fsync: 'always'`; more are
   * `LOG_WRITE_FAILED`. @defaultValue 65_536
   */
  readonly maxWaitingAppends?: number;
  /** A write or sync that takes longer is counted as slow and logged. @defaultValue 500 */
  readonly slowDiskMs?: number;
}

/** A durable log in a folder. */
export interface FileEventLog extends EventLog {
  /** Whether appends are accepted by the disk, and what they cost. Costs the same however many users there are. */
  stats(): FileEventLogStats;
  /**
   * Rewrites or removes segments of which too little is still live, merges small ones, and takes erased events
   * off the disk. Happens by itself, at most an hour after there is a reason. Settles when it is done.
   *
   * @throws EventLogError `LOG_WRITE_FAILED`; nothing is lost, and it is tried again by itself
   */
  compact(): Promise<void>;
}

/** Counts since the log was opened; a new object at each call. */
export interface FileEventLogStats {
  readonly segments: number;
  /** Of all segment files. */
  readonly diskBytes: number;
  /** Of records that can still be read. */
  readonly liveBytes: number;
  readonly users: number;
  readonly records: number;
  /** Bytes of typed arrays that locate the records. */
  readonly indexBytes: number;
  /** Appends, erasures and trims that wait to be written. */
  readonly waiting: number;
  /** Groups of records written; each is one system call. */
  readonly writes: number;
  readonly bytesWritten: number;
  readonly syncs: number;
  /** Writes and syncs that took longer than `slowDiskMs`. */
  readonly slowDisk: number;
  readonly longestDiskMs: number;
  /** Groups that could not be written; their appends were rejected. */
  readonly failedWrites: number;
  /** Syncs that the disk refused. With `fsync: 'always'` the appends that waited for one were rejected. */
  readonly failedSyncs: number;
  /** The code of the failure that the last write, or the last sync, met; undefined when both succeeded. */
  readonly failing: string | undefined;
  /** Damage found when the log was opened or read since: the first 1,000 places. */
  readonly damage: readonly LogDamage[];
  /** How many there are in all. */
  readonly damagedPlaces: number;
  /** Bytes of an unfinished write that were cut off at opening. */
  readonly tornBytes: number;
  /** How long opening took. */
  readonly openMs: number;
}

/** Bytes that are no valid records and are never served. */
export interface LogDamage {
  /** Name of the segment file. */
  readonly segment: string;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

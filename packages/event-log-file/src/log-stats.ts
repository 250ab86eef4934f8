import type { FileEventLogStats } from './contract.js';
import type { LogParts } from './log-parts.js';
import type { OpenedLog } from './read-log.js';

/** The counts of an open log as they are now: asked for often, so nothing here looks at each user. */
export function logStats(log: LogParts & OpenedLog & Pick<FileEventLogStats, 'openMs'>): FileEventLogStats {
  const { segments, users, meter, writer, damage, tornBytes, openMs } = log;
  const { writes, bytesWritten, syncs, slowDisk, longestDiskMs, failedWrites, failedSyncs, failing } = meter;
  return {
    segments: segments.count,
    diskBytes: segments.diskBytes,
    liveBytes: users.bytes,
    users: users.count,
    records: users.records,
    indexBytes: users.indexBytes,
    waiting: writer.waiting,
    writes,
    bytesWritten,
    syncs,
    slowDisk,
    longestDiskMs,
    failedWrites,
    failedSyncs,
    failing,
    damage: damage.places,
    damagedPlaces: damage.count,
    tornBytes,
    openMs,
  };
}

import type { FileEventLogStats } from './contract.js';
import type { LogParts } from './log-parts.js';
import type { OpenedLog } from './read-log.js';

/** The counts of an open log as they are now. */
export function logStats(log: LogParts & OpenedLog & Pick<FileEventLogStats, 'openMs'>): FileEventLogStats {
  const { segments, users, meter, writer, damage, tornBytes, openMs } = log;
  const { writes, bytesWritten, syncs, slowDisk, longestDiskMs, failedWrites, failedSyncs, failing } = meter;
  let records = 0;
  let indexBytes = 0;
  for (const user of users.all()) {
    records += user.recordCount;
    indexBytes += user.indexBytes;
  }
  return {
    segments: segments.count,
    diskBytes: segments.diskBytes,
    liveBytes: users.bytes,
    users: users.count,
    records,
    indexBytes,
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

import type { FileEventLogStats } from '@runwire/event-log-file';
import type { Registry } from 'prom-client';
import { counter, single, total } from './instruments.js';

/** What the disk under the event log takes, how fast, and what of it is lost. */
export function logMetrics(registry: Registry, stats: () => FileEventLogStats | undefined): void {
  const read = (pick: (stats: FileEventLogStats) => number) => (): number => {
    const now = stats();
    return now === undefined ? 0 : pick(now);
  };
  const grows = (name: string, help: string, pick: (stats: FileEventLogStats) => number): void =>
    total(registry, `runwire_log_${name}_total`, help, read(pick));
  const is = (name: string, help: string, pick: (stats: FileEventLogStats) => number): void =>
    single(registry, `runwire_log_${name}`, help, read(pick));

  grows('writes', 'Groups of records written, one system call each.', ({ writes }) => writes);
  grows('written_bytes', 'Bytes written.', ({ bytesWritten }) => bytesWritten);
  grows('syncs', 'Times that written bytes were forced to the hardware.', ({ syncs }) => syncs);
  counter(
    registry,
    { name: 'runwire_log_failures_total', help: 'What the disk refused.', label: 'operation' },
    () => ({ write: stats()?.failedWrites ?? 0, sync: stats()?.failedSyncs ?? 0 }),
  );
  grows('slow_operations', 'Writes and syncs that took more than half a second.', ({ slowDisk }) => slowDisk);
  is('slowest_seconds', 'The slowest write or sync.', ({ longestDiskMs }) => longestDiskMs / 1_000);
  is('failing', '1 while the disk refuses what is written.', ({ failing }) =>
    failing === undefined ? 0 : 1,
  );
  is('waiting', 'Appends, erasures and trims that wait to be written.', ({ waiting }) => waiting);
  is('disk_bytes', 'Bytes of all segment files.', ({ diskBytes }) => diskBytes);
  is('live_bytes', 'Bytes of records that can still be read.', ({ liveBytes }) => liveBytes);
  is('segments', 'Segment files.', ({ segments }) => segments);
  is('index_bytes', 'Memory that locates the records.', ({ indexBytes }) => indexBytes);
  is(
    'damaged_places',
    'Places in the files whose events cannot be served.',
    ({ damagedPlaces }) => damagedPlaces,
  );
}

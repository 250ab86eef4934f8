import type { UserId } from '@runwire/id-generation';
import type { Clock, Logger } from '@runwire/kernel';
import type { LogDisk } from './disk.js';
import { Continuity, type MissingEvents } from './inspect-continuity.js';
import { closeSnapshot, openSnapshot } from './inspect-disk.js';
import type { FoundLog } from './open-segments.js';
import { type OpenedLog, readLog } from './read-log.js';
import { RECORD_KIND } from './record-format.js';
import { segmentName } from './segment-format.js';
import { payloadOf, type ScannedRecord } from './segment-scan.js';
import type { Segment } from './segments.js';
import { decodeEvents } from './stored-event.js';
import type { UserLog } from './user-log.js';

/** What looking at a log needs. */
export interface InspectionDeps {
  readonly disk: LogDisk;
  readonly clock: Clock;
}

/** A log as it is read by somebody who does not own it. */
export interface InspectedLog extends OpenedLog {
  readonly found: FoundLog;
  /** Undefined when no header tells it. */
  readonly epoch: string | undefined;
  /** Valid records and the events in them, whether they can still be read or not. */
  readonly records: number;
  readonly events: number;
  readonly missing: readonly MissingEvents[];
}

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};

/**
 * Reads a whole log as opening it would, checks every record, passes it to `use` and closes its files.
 *
 * @throws FileLogError when the folder has no log that this version can read
 */
export function inspectLog<T>(deps: InspectionDeps, path: string, use: (log: InspectedLog) => T): T {
  const found = openSnapshot(deps.disk, path);
  try {
    return use(read(found, deps));
  } finally {
    closeSnapshot(found);
  }
}

function read(found: FoundLog, { disk, clock }: InspectionDeps): InspectedLog {
  const continuity = new Continuity();
  const misread: { readonly segment: string; readonly offset: number; readonly bytes: number }[] = [];
  let records = 0;
  let events = 0;
  const onRecord = (record: ScannedRecord, { number }: Segment): void => {
    const segment = segmentName(number);
    records += 1;
    if (record.head.kind === RECORD_KIND.events) events += record.head.count;
    continuity.take(record, segment);
    if (!saysWhatItHolds(record)) misread.push({ segment, offset: record.offset, bytes: record.head.length });
  };
  const opened = readLog(found, { disk, clock, logger: SILENT, newEpoch: () => '', onRecord });
  for (const place of misread) {
    opened.damage.add({ ...place, reason: 'Its events are not those that the record says it holds.' });
  }
  const epoch = found.segments.find(({ header }) => header !== undefined)?.header?.epoch;
  return { ...opened, found, epoch, records, events, missing: continuity.missing() };
}

function saysWhatItHolds(record: ScannedRecord): boolean {
  const { kind, firstSeq, count } = record.head;
  if (kind !== RECORD_KIND.events) return true;
  const { from, to } = payloadOf(record);
  try {
    const events = decodeEvents(record.source, from, to);
    return events.length === count && events.every(({ seq }, index) => seq === firstSeq + index);
  } catch {
    return false;
  }
}

/** The user's stream; undefined when the log knows none of that id. */
export function findUser({ users }: OpenedLog, userId: string): UserLog | undefined {
  return users.find(userId as UserId);
}

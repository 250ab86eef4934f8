import type { Logger } from '@runwire/kernel';
import type { LogDisk } from './disk.js';
import { findSegments } from './open-segments.js';
import { type OpenedLog, type ReadLogDeps, readLog } from './read-log.js';
import type { Segment } from './segments.js';

/**
 * Reads the segments of a folder, cuts off what never became part of the log, begins a log where there is none.
 *
 * @throws FileLogError as `findSegments`; then nothing was changed
 */
export function openLog(deps: ReadLogDeps): OpenedLog {
  const { disk, logger } = deps;
  const found = findSegments(disk);
  try {
    const opened = readLog(found, deps);
    for (const name of found.leftovers) removeLeftover(disk, name, logger);
    if (opened.tornBytes > 0) {
      logger.warn({ bytes: opened.tornBytes }, 'An unfinished write was cut off the event log.');
    }
    for (const { number, size } of found.segments) {
      const segment = opened.segments.get(number);
      if (segment !== undefined && size > segment.end) cut(segment, logger);
    }
    if (opened.segments.active?.isSealed !== false) begin(opened, logger);
    return opened;
  } catch (error) {
    for (const { file } of found.segments) file.close();
    throw error;
  }
}

/** A log that can be read is opened, even where it cannot be written at the moment. */
function begin({ segments }: OpenedLog, logger: Logger): void {
  try {
    segments.begin();
  } catch (cause) {
    if (segments.count === 0) throw cause;
    logger.warn({ err: cause }, 'No segment could be begun; it is tried again with the next append.');
  }
}

function removeLeftover(disk: LogDisk, name: string, logger: Logger): void {
  try {
    disk.remove(name);
  } catch (cause) {
    logger.warn({ err: cause, file: name }, 'A file that is of no use any more could not be removed.');
  }
}

function cut(segment: Segment, logger: Logger): void {
  try {
    segment.file.truncate(segment.end);
  } catch (cause) {
    segment.isSealed = true;
    segment.hasLeftover = true;
    logger.warn(
      { err: cause, segment: segment.number },
      'What does not belong to the log could not be cut off.',
    );
  }
}

import { Buffer } from 'node:buffer';
import type { LogDisk, LogFile } from './disk.js';
import { FileLogError } from './errors.js';
import {
  decodeSegmentHeader,
  FORMAT_VERSION,
  isUnfinishedRewrite,
  MAX_SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  type SegmentHeaderProblem,
  segmentName,
  segmentNumber,
} from './segment-format.js';
import { isBad, SegmentScan } from './segment-scan.js';

/** A segment file whose header was read. */
export interface FoundSegment {
  readonly number: number;
  readonly file: LogFile;
  readonly size: number;
  /** Undefined when it is damaged. */
  readonly header: (SegmentHeader & { readonly length: number }) | undefined;
}

/** The files of a log. */
export interface FoundLog {
  /** In their order. */
  readonly segments: readonly FoundSegment[];
  /** Names of files that never became part of the log, or are none any more. */
  readonly leftovers: readonly string[];
  /** Bytes of a newest file among them that was only just begun. */
  readonly begunBytes: number;
}

/**
 * Opens the segment files of a folder and looks at their headers. Changes nothing.
 *
 * @throws FileLogError `LOG_FOREIGN_FILE`, `LOG_VERSION_UNSUPPORTED`; the files are closed then
 */
export function findSegments(disk: Pick<LogDisk, 'list' | 'open'>): FoundLog {
  const names = disk.list();
  const numbers = names.flatMap((name) => segmentNumber(name) ?? []).sort((a, b) => a - b);
  const leftovers = names.filter(isUnfinishedRewrite);
  const segments: FoundSegment[] = [];
  let through = 0;
  let begunBytes = 0;
  try {
    for (const number of numbers) {
      const name = segmentName(number);
      if (number <= through) {
        leftovers.push(name);
        continue;
      }
      const found = lookAt({ name, number, file: disk.open(name) }, number === numbers.at(-1));
      if ('begunBytes' in found) {
        leftovers.push(name);
        begunBytes = found.begunBytes;
      } else {
        segments.push(found);
        through = found.header?.through ?? 0;
      }
    }
    requireOneLog(segments);
  } catch (error) {
    for (const { file } of segments) file.close();
    throw error;
  }
  return { segments, leftovers, begunBytes };
}

interface OpenedFile {
  readonly name: string;
  readonly number: number;
  readonly file: LogFile;
}

/** A newest file that was only just begun is no segment. */
function lookAt(opened: OpenedFile, isNewest: boolean): FoundSegment | Pick<FoundLog, 'begunBytes'> {
  const { name, number, file } = opened;
  try {
    const size = file.size();
    const bytes = Buffer.alloc(Math.min(size, MAX_SEGMENT_HEADER_BYTES));
    file.read(bytes, 0);
    const header = decodeSegmentHeader(bytes);
    if (typeof header !== 'string') {
      if (header.number !== number) throw misnamed(name, header.number);
      return { number, file, size, header };
    }
    const isBegun = header === 'incomplete' || (header === 'blank' && isZero(file, size));
    if (isBegun && isNewest) {
      file.close();
      return { begunBytes: size };
    }
    const isForeign = header === 'foreign' && !hasRecord(file, size);
    if (isForeign || header === 'version') throw refusal(header, name, bytes);
    return { number, file, size, header: undefined };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Whether a file is a segment all the same, because a record of this version stands in it. */
function hasRecord(file: LogFile, size: number): boolean {
  const scan = new SegmentScan(file, { from: 0, to: size });
  const first = scan.next();
  return first !== undefined && (!isBad(first) || scan.next() !== undefined);
}

function isZero(file: LogFile, size: number): boolean {
  const met = new SegmentScan(file, { from: 0, to: size }).next();
  return met === undefined || (isBad(met) && met.kind === 'unfinished');
}

function misnamed(name: string, number: number): FileLogError {
  return new FileLogError(
    'LOG_FOREIGN_FILE',
    `${name} is segment ${number} of a log under another name: move it out of the folder.`,
    { details: { file: name } },
  );
}

function refusal(problem: SegmentHeaderProblem, name: string, bytes: Buffer): FileLogError {
  if (problem === 'foreign') {
    return new FileLogError(
      'LOG_FOREIGN_FILE',
      `${name} is no segment of an event log: move it out of the folder.`,
      { details: { file: name } },
    );
  }
  return new FileLogError(
    'LOG_VERSION_UNSUPPORTED',
    `${name} has format version ${bytes[8]}, this version of the log reads version ${FORMAT_VERSION}: use the version that wrote it, or a newer one.`,
    { details: { file: name, version: bytes[8] } },
  );
}

function requireOneLog(found: readonly FoundSegment[]): void {
  let epoch: string | undefined;
  for (const { number, header } of found) {
    if (header === undefined) continue;
    epoch ??= header.epoch;
    if (header.epoch === epoch) continue;
    const name = segmentName(number);
    throw new FileLogError(
      'LOG_FOREIGN_FILE',
      `${name} belongs to another log than the segments before it (epoch ${header.epoch}, not ${epoch}): move it out of the folder.`,
      { details: { file: name } },
    );
  }
}

/** Where the records of a segment begin and end. */
export interface RecordRange {
  readonly from: number;
  readonly to: number;
  /** Bytes that should follow and are not in the file. */
  readonly missingBytes: number;
}

/**
 * The range of a segment's records, by its own header and the next one's. What stands behind it in the file
 * never became part of the log.
 */
export function recordRange(segment: FoundSegment, next: FoundSegment | undefined): RecordRange {
  const { header, size, number } = segment;
  // Behind a damaged header the first record is searched for.
  const from = header?.length ?? 0;
  const previousEnd = next?.number === number + 1 ? (next.header?.previousEnd ?? 0) : 0;
  if (previousEnd === 0 || header?.isRewritten === true) return { from, to: size, missingBytes: 0 };
  return { from, to: Math.min(size, previousEnd), missingBytes: Math.max(0, previousEnd - size) };
}

import { crc32 } from 'node:zlib';
import type { LogFile } from '../../src/index.js';
import { RECORD_KIND } from '../../src/record-format.js';
import { isBad, SegmentScan, userOf } from '../../src/segment-scan.js';
import type { MemoryDisk } from '../../src/testing/index.js';

/** Where a record stands. */
export interface RecordPlace {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  readonly user: string;
  readonly isState: boolean;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** All valid records of a disk's segments, in order. */
export function recordsOn(disk: MemoryDisk): readonly RecordPlace[] {
  return segmentsOn(disk).flatMap((file) => recordsIn(disk, file));
}

/** The segment files of a disk, in order. */
export function segmentsOn(disk: MemoryDisk): readonly string[] {
  return disk
    .list()
    .filter((name) => name.endsWith('.log'))
    .sort();
}

function recordsIn(disk: MemoryDisk, name: string): readonly RecordPlace[] {
  const file: LogFile = disk.open(name);
  const scan = new SegmentScan(file, { from: 0, to: file.size() });
  const records: RecordPlace[] = [];
  for (let met = scan.next(); met !== undefined; met = scan.next()) {
    if (isBad(met)) continue;
    const { length, kind, firstSeq, count } = met.head;
    const place = { file: name, offset: met.offset, length, user: userOf(met) };
    records.push({ ...place, isState: kind === RECORD_KIND.state, firstSeq, lastSeq: firstSeq + count - 1 });
  }
  return records;
}

/** Replaces a text in a record by another of the same length, and makes its checksum right again. */
export function misstate(disk: MemoryDisk, place: RecordPlace, text: string, by: string): void {
  const contents = Buffer.from(disk.contents(place.file));
  const record = contents.subarray(place.offset, place.offset + place.length);
  const at = record.lastIndexOf(text);
  if (at < 0 || Buffer.byteLength(by) !== Buffer.byteLength(text)) throw new Error(`no ${text}`);
  record.write(by, at);
  record.writeUInt32LE(crc32(record.subarray(12)), 8);
  disk.setContents(place.file, contents);
}

/** Changes the bytes of a file from `offset` on. */
export function overwrite(disk: MemoryDisk, name: string, offset: number, bytes: Uint8Array): void {
  const contents = disk.contents(name);
  contents.set(bytes, offset);
  disk.setContents(name, contents);
}

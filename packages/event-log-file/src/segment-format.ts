import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';

// The bytes on disk; FORMAT.md says the same in prose. All numbers are little-endian.

/** Raised when a reader of this version could misread what a later one writes. */
export const FORMAT_VERSION = 1;

const SEGMENT_MAGIC = Buffer.from('RWEVLOG\n', 'latin1');
const SEGMENT_FIXED_BYTES = 28;
const CHECKSUM_AT = 24;

/** What every segment file begins with. */
export interface SegmentHeader {
  /** Of the log that the segment belongs to. */
  readonly epoch: string;
  readonly number: number;
  /** The last segment whose records are in this file: its own number, unless compaction merged others into it. */
  readonly through: number;
  /**
   * Where the segment before ended when this one was begun; what lies behind is an unfinished write. 0 when
   * there was none, or nobody knows.
   */
  readonly previousEnd: number;
  /** Whether compaction wrote it anew, so that its end is not the next one's `previousEnd`. */
  readonly isRewritten: boolean;
}

/** Why bytes are no segment header of this version. `blank`: zeros, as a power loss leaves them. */
export type SegmentHeaderProblem = 'incomplete' | 'blank' | 'foreign' | 'version' | 'damaged';

/** Encodes the header of a segment. */
export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const epochBytes = Buffer.from(header.epoch, 'utf8');
  const bytes = Buffer.alloc(SEGMENT_FIXED_BYTES + epochBytes.length);
  SEGMENT_MAGIC.copy(bytes);
  bytes.writeUInt8(FORMAT_VERSION, 8);
  bytes.writeUInt8(epochBytes.length, 9);
  bytes.writeUInt8(header.isRewritten ? 1 : 0, 10);
  bytes.writeUInt32LE(header.number, 12);
  bytes.writeUInt32LE(header.previousEnd, 16);
  bytes.writeUInt32LE(header.through, 20);
  epochBytes.copy(bytes, SEGMENT_FIXED_BYTES);
  bytes.writeUInt32LE(headerChecksum(bytes), CHECKSUM_AT);
  return bytes;
}

/** The longest header there can be. */
export const MAX_SEGMENT_HEADER_BYTES = SEGMENT_FIXED_BYTES + 255;

/** Decodes the header at the start of `bytes`, or says what is wrong with it. */
export function decodeSegmentHeader(
  bytes: Buffer,
): (SegmentHeader & { readonly length: number }) | SegmentHeaderProblem {
  const known = bytes.subarray(0, SEGMENT_MAGIC.length);
  const hasMagic = known.equals(SEGMENT_MAGIC.subarray(0, known.length));
  if (!hasMagic && bytes.subarray(0, SEGMENT_FIXED_BYTES).every((byte) => byte === 0)) return 'blank';
  if (bytes.length < SEGMENT_FIXED_BYTES) return hasMagic ? 'incomplete' : 'foreign';
  const length = SEGMENT_FIXED_BYTES + bytes.readUInt8(9);
  const version = bytes.readUInt8(8);
  if (!hasMagic) return isWhole(corrected(bytes, length)) ? 'damaged' : 'foreign';
  if (version !== FORMAT_VERSION) {
    // With this byte as it should be, the checksum tells damage to it from another version.
    return version === 0 || isWhole(corrected(bytes, length)) ? 'damaged' : 'version';
  }
  if (bytes.length < length) return 'incomplete';
  if (!isWhole(bytes.subarray(0, length))) return 'damaged';
  return {
    epoch: bytes.toString('utf8', SEGMENT_FIXED_BYTES, length),
    number: bytes.readUInt32LE(12),
    previousEnd: bytes.readUInt32LE(16),
    through: bytes.readUInt32LE(20),
    isRewritten: bytes.readUInt8(10) === 1,
    length,
  };
}

function corrected(bytes: Buffer, length: number): Buffer {
  const copy = Buffer.from(bytes.subarray(0, length));
  SEGMENT_MAGIC.copy(copy);
  copy.writeUInt8(FORMAT_VERSION, 8);
  return copy;
}

function isWhole(header: Buffer): boolean {
  return header.readUInt32LE(CHECKSUM_AT) === headerChecksum(header);
}

/** The checksum covers everything but itself. */
function headerChecksum(bytes: Buffer): number {
  return crc32(bytes.subarray(SEGMENT_FIXED_BYTES), crc32(bytes.subarray(0, CHECKSUM_AT)));
}

/** The name of a segment's file. */
export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.log`;
}

/** The name of the file in which a segment is written anew. */
export function rewriteName(number: number): string {
  return `${String(number).padStart(10, '0')}.tmp`;
}

/** The number in a segment's name; undefined for other files. */
export function segmentNumber(name: string): number | undefined {
  const digits = /^(\d{10})\.log$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Whether a file is what a rewrite under way has left behind. */
export function isUnfinishedRewrite(name: string): boolean {
  return /^\d{10}\.tmp$/.test(name);
}

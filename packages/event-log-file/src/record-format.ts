import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';

// The bytes on disk; FORMAT.md says the same in prose. All numbers are little-endian.

/** The first bytes of every record, impossible in JSON, so that a reader finds the next one behind damage. */
export const RECORD_MAGIC: Buffer = Buffer.from([0xa7, 0x52, 0x57, 0x1a]);

/** Bytes of a record before its user. */
export const RECORD_FIXED_BYTES = 44;

/** What a record holds. */
export const RECORD_KIND = Object.freeze({
  /** The events of one append: one line of JSON each. */
  events: 1,
  /** What one user's stream remembers besides events, as JSON: replaces what earlier records said of it. */
  state: 2,
});

/** A record of events in which a run starts or ends: only these are looked into when the log is opened. */
export const FLAG_LIFECYCLE = 1;

/** The longest id of a user or producer, in UTF-8. */
export const MAX_ID_BYTES = 2 ** 16 - 1;

/** The highest attempt of a producer. */
export const MAX_ATTEMPT: number = 2 ** 48 - 1;

/** The fixed part of a record, and where its variable parts are. */
export interface RecordHead {
  /** Bytes of the whole record. */
  readonly length: number;
  readonly kind: number;
  readonly flags: number;
  readonly userBytes: number;
  readonly producerBytes: number;
  /** Of a state record: the head of the stream. */
  readonly firstSeq: number;
  readonly count: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly attempt: number;
  readonly n: number;
}

/** What a record says besides its payload. */
export interface RecordTitle {
  readonly kind: number;
  readonly flags: number;
  readonly userId: string;
  readonly producer: { readonly id: string; readonly attempt: number; readonly n: number } | undefined;
  readonly firstSeq: number;
  readonly count: number;
  readonly at: number;
}

/** A record whose user, producer and payload are in place. */
export interface UnsealedRecord {
  readonly title: RecordTitle;
  /** Bytes of the whole record. */
  readonly length: number;
  readonly userBytes: number;
  readonly producerBytes: number;
}

/** Writes a record's fixed part and checksum around a body that stands in `target` already. */
export function sealRecord(target: Buffer, start: number, record: UnsealedRecord): void {
  const { title, length, userBytes, producerBytes } = record;
  target.set(RECORD_MAGIC, start);
  target.writeUInt32LE(length, start + 4);
  target.writeUInt8(title.kind, start + 12);
  target.writeUInt8(title.flags, start + 13);
  target.writeUInt16LE(userBytes, start + 14);
  target.writeUInt16LE(producerBytes, start + 16);
  target.writeUIntLE(title.firstSeq, start + 18, 6);
  target.writeUInt32LE(title.count, start + 24);
  target.writeUIntLE(title.at, start + 28, 6);
  target.writeUIntLE(title.producer?.attempt ?? 0, start + 34, 6);
  target.writeUInt32LE(title.producer?.n ?? 0, start + 40);
  target.writeUInt32LE(recordChecksum(target, start, length), start + 8);
}

/** The record at `start`, if one stands there whole and undamaged. */
export function decodeRecordHead(source: Buffer, start: number, end: number): RecordHead | undefined {
  const head = claimedHead(source, start, end);
  if (head === undefined) return undefined;
  return source.readUInt32LE(start + 8) === recordChecksum(source, start, head.length) ? head : undefined;
}

/** What the bytes at `start` say of the record they are, whole but perhaps damaged. */
export function claimedHead(source: Buffer, start: number, end: number): RecordHead | undefined {
  const length = claimedLength(source, start, end);
  if (length === undefined || length < RECORD_FIXED_BYTES || length > end - start) return undefined;
  const userBytes = source.readUInt16LE(start + 14);
  const producerBytes = source.readUInt16LE(start + 16);
  if (RECORD_FIXED_BYTES + userBytes + producerBytes > length) return undefined;
  return {
    length,
    kind: source.readUInt8(start + 12),
    flags: source.readUInt8(start + 13),
    userBytes,
    producerBytes,
    firstSeq: source.readUIntLE(start + 18, 6),
    count: source.readUInt32LE(start + 24),
    at: source.readUIntLE(start + 28, 6),
    attempt: source.readUIntLE(start + 34, 6),
    n: source.readUInt32LE(start + 40),
  };
}

/** Bytes that a record at `start` says it has; undefined when none begins there. */
export function claimedLength(source: Buffer, start: number, end: number): number | undefined {
  if (end - start < RECORD_FIXED_BYTES) return undefined;
  const hasMagic =
    source[start] === RECORD_MAGIC[0] &&
    source[start + 1] === RECORD_MAGIC[1] &&
    source[start + 2] === RECORD_MAGIC[2] &&
    source[start + 3] === RECORD_MAGIC[3];
  return hasMagic ? source.readUInt32LE(start + 4) : undefined;
}

function recordChecksum(source: Buffer, start: number, length: number): number {
  return crc32(source.subarray(start + 12, start + length));
}

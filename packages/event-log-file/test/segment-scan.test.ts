import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecordBuffer } from '../src/record-buffer.js';
import { RECORD_KIND, RECORD_MAGIC } from '../src/record-format.js';
import { isBad, SegmentScan } from '../src/segment-scan.js';
import { createMemoryDisk } from '../src/testing/index.js';

function record(seq: number, size: number): Buffer {
  const buffer = new RecordBuffer();
  const title = { kind: RECORD_KIND.events, flags: 0, userId: 'u', producer: undefined, count: 1, at: 1 };
  buffer.add({ ...title, firstSeq: seq }, ['x'.repeat(size)]);
  return Buffer.from(buffer.bytes);
}

/** What a scan meets: `seq` of records; offset, length and kind of what is none. */
function met(bytes: Uint8Array, from = 0, to = bytes.length): unknown[] {
  const disk = createMemoryDisk();
  disk.setContents('a', bytes);
  const scan = new SegmentScan(disk.open('a'), { from, to });
  const all: unknown[] = [];
  for (let next = scan.next(); next !== undefined; next = scan.next()) {
    all.push(isBad(next) ? [next.offset, next.bytes, next.kind] : next.head.firstSeq);
  }
  return all;
}

describe('a scan of a segment', () => {
  it('meets every record of any size once, in order', () => {
    const sizes = fc.oneof(fc.nat(100), fc.nat(3_000_000), fc.constantFrom(1_048_576 - 45, 1_048_576));
    fc.assert(
      fc.property(fc.array(sizes, { maxLength: 6 }), (list) => {
        const bytes = Buffer.concat(list.map((size, index) => record(index, size)));
        expect(met(bytes)).toEqual(list.map((_, index) => index));
      }),
      { numRuns: 25 },
    );
  });

  it('stops at its end, wherever that is', () => {
    const bytes = Buffer.concat([record(1, 10), record(2, 10)]);
    const { length } = record(1, 10);
    expect(met(bytes, 0, length)).toEqual([1]);
    expect(met(bytes, length)).toEqual([2]);
    expect(met(bytes, 5)).toEqual([[5, length - 5, 'damaged'], 2]);
    expect(met(bytes, 0, 0)).toEqual([]);
  });

  it('calls the beginning of a record at the end unfinished, and zeros', () => {
    const one = record(1, 10);
    for (let cut = 1; cut < one.length; cut += 1) {
      const bytes = Buffer.concat([one, one.subarray(0, cut)]);
      expect(met(bytes)).toEqual([1, [one.length, cut, 'unfinished']]);
    }
    for (const zeros of [1, 43, 44, 500, 2_500_000]) {
      expect(met(Buffer.concat([one, Buffer.alloc(zeros)]))).toEqual([1, [one.length, zeros, 'unfinished']]);
    }
  });

  it('calls anything else damaged, also at the end', () => {
    const [one, two] = [record(1, 10), record(2, 10)];
    const broken = Buffer.from(two);
    broken.writeUInt8(0, broken.length - 1);
    expect(met(Buffer.concat([one, broken]))).toEqual([1, [one.length, broken.length, 'damaged']]);
    expect(met(Buffer.concat([one, Buffer.from('what is this?')]))).toEqual([1, [one.length, 13, 'damaged']]);
    expect(met(Buffer.concat([one, two.subarray(0, 20), one]))).toEqual([1, [one.length, 20, 'damaged'], 1]);
    expect(met(Buffer.concat([one, Buffer.alloc(9), one]))).toEqual([1, [one.length, 9, 'damaged'], 1]);
  });

  it('finds the next record behind damage of any length, also across the edges of what it reads at once', () => {
    const lengths = fc.oneof(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1_048_500, max: 1_048_700 }),
    );
    fc.assert(
      fc.property(lengths, fc.nat(255), (length, filler) => {
        fc.pre(filler !== RECORD_MAGIC[0]);
        const bytes = Buffer.concat([Buffer.alloc(length, filler), record(7, 30)]);
        expect(met(bytes)).toEqual([[0, length, 'damaged'], 7]);
      }),
      { numRuns: 60 },
    );
  });

  it('is not led astray by what looks like a record, however long that says it is', () => {
    const one = record(1, 10);
    for (const claimed of [0, 10, 44, 200, 5_000, 2 ** 31, 2 ** 32 - 1]) {
      const fake = Buffer.alloc(300, 1);
      RECORD_MAGIC.copy(fake);
      fake.writeUInt32LE(claimed, 4);
      expect(met(Buffer.concat([fake, one]))).toEqual([[0, 300, 'damaged'], 1]);
      expect(met(Buffer.concat([RECORD_MAGIC, RECORD_MAGIC, one]))).toEqual([[0, 8, 'damaged'], 1]);
    }
  });

  it('takes a file that has become shorter meanwhile for one that ends there', () => {
    const disk = createMemoryDisk();
    const bytes = Buffer.concat([record(1, 10), record(2, 2_000_000)]);
    disk.setContents('a', bytes);
    const scan = new SegmentScan(disk.open('a'), { from: 0, to: bytes.length });
    expect(scan.next()).toMatchObject({ head: { firstSeq: 1 } });
    disk.setContents('a', bytes.subarray(0, 100));
    expect(scan.next()).toMatchObject({
      kind: expect.any(String),
      bytes: bytes.length - record(1, 10).length,
    });
    expect(scan.next()).toBeUndefined();
  });
});

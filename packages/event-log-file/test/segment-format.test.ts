import { describe, expect, it } from '@jest/globals';
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  isUnfinishedRewrite,
  MAX_SEGMENT_HEADER_BYTES,
  rewriteName,
  segmentName,
  segmentNumber,
} from '../src/segment-format.js';

const HEADER = { epoch: 'evt_ä', number: 3, through: 5, previousEnd: 1_000, isRewritten: true };

describe('the header of a segment', () => {
  it.each([
    HEADER,
    { ...HEADER, isRewritten: false, through: 3 },
    {
      epoch: 'é'.repeat(127),
      number: 2 ** 32 - 1,
      through: 2 ** 32 - 1,
      previousEnd: 2 ** 32 - 1,
      isRewritten: false,
    },
    { epoch: '', number: 1, through: 1, previousEnd: 0, isRewritten: false },
  ])('comes back as it was put in: %j', (header) => {
    const bytes = encodeSegmentHeader(header);
    expect(bytes.length).toBeLessThanOrEqual(MAX_SEGMENT_HEADER_BYTES);
    const behind = Buffer.concat([bytes, Buffer.from('records')]);
    expect(decodeSegmentHeader(behind)).toEqual({ ...header, length: bytes.length });
  });

  it('is incomplete with any byte missing', () => {
    const bytes = encodeSegmentHeader(HEADER);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(decodeSegmentHeader(bytes.subarray(0, length))).toBe('incomplete');
    }
  });

  it('is known for what it is with any bit changed', () => {
    const bytes = encodeSegmentHeader(HEADER);
    const EPOCH_LENGTH_AT = 9;
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      const at = bit >> 3;
      changed.writeUInt8(changed.readUInt8(at) ^ (1 << (bit & 7)), at);
      const problem = decodeSegmentHeader(changed);
      if (at === EPOCH_LENGTH_AT) expect(['damaged', 'incomplete']).toContain(problem);
      else expect([at, problem]).toEqual([at, 'damaged']);
    }
  });

  it.each([
    ['zeros', Buffer.alloc(100), 'blank'],
    ['few zeros', Buffer.alloc(3), 'blank'],
    ['text', Buffer.from('a text that is long enough to be a header'), 'foreign'],
    ['a short text', Buffer.from('RWE?'), 'foreign'],
    [
      'zeros with something behind',
      Buffer.concat([Buffer.alloc(20), Buffer.from('abcdefghijklm')]),
      'foreign',
    ],
  ])('is none in %s', (_what, bytes, problem) => {
    expect(decodeSegmentHeader(bytes)).toBe(problem);
  });
});

describe('the name of a file', () => {
  it.each([
    ['0000000001.log', 1, false],
    ['4294967295.log', 4_294_967_295, false],
    ['0000000001.tmp', undefined, true],
    ['1.log', undefined, false],
    ['00000000001.log', undefined, false],
    ['0000000001.log.bak', undefined, false],
    ['x0000000001.log', undefined, false],
    ['notes.tmp', undefined, false],
  ])('%s', (name, number, isRewrite) => {
    expect([segmentNumber(name), isUnfinishedRewrite(name)]).toEqual([number, isRewrite]);
  });

  it('is made as it is read', () => {
    expect(segmentNumber(segmentName(12))).toBe(12);
    expect(isUnfinishedRewrite(rewriteName(12))).toBe(true);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecordIndex, type RecordLocation } from '../src/record-index.js';

const LARGEST: RecordLocation = {
  lastSeq: 2 ** 48 - 1,
  at: 2 ** 48 - 1,
  segment: 2 ** 32 - 1,
  offset: 2 ** 32 - 1,
  length: 2 ** 32 - 1,
};

type Change = { readonly push: number } | { readonly drop: number } | { readonly move: number };

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ drop: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ move: fc.nat(100) }) },
);

describe('the index of a user', () => {
  it('gives back the largest values there are', () => {
    const index = new RecordIndex();
    index.push(LARGEST);
    expect(index.at(0)).toEqual(LARGEST);
    expect([index.find(1), index.find(2 ** 48 - 1), index.find(2 ** 48)]).toEqual([0, 0, 1]);
  });

  it('is a list of records, whatever is pushed, dropped and moved', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200, size: 'max' }), (changes) => {
        const index = new RecordIndex();
        const model: RecordLocation[] = [];
        let head = 0;
        for (const [number, one] of changes.entries()) {
          if ('push' in one) {
            head += one.push;
            const record = {
              lastSeq: head,
              at: number * 1e9,
              segment: number,
              offset: head,
              length: one.push,
            };
            index.push(record);
            model.push(record);
          } else if ('drop' in one) {
            for (let dropped = 0; dropped < one.drop; dropped += 1) index.dropFirst();
            model.splice(0, one.drop);
          } else {
            const slot = model.findIndex(({ lastSeq }) => lastSeq === one.move);
            const at = model[slot]?.at ?? 0;
            const moved = { lastSeq: one.move, at, segment: 9, offset: 8, length: 7 };
            expect(index.move(moved)).toBe(slot >= 0);
            if (slot >= 0) model[slot] = moved;
          }
          expect(index.count).toBe(model.length);
        }
        expect(model.map((_, position) => index.at(position))).toEqual(model);
        expect([index.at(-1), index.at(model.length)]).toEqual([undefined, undefined]);
        for (let seq = 0; seq <= head + 1; seq += 1) {
          const position = model.findIndex(({ lastSeq }) => lastSeq >= seq);
          expect(index.find(seq)).toBe(position < 0 ? model.length : position);
        }
      }),
    );
  });

  it('takes at most 24 bytes a record, with its reserve, and gives back what was dropped', () => {
    const index = new RecordIndex();
    let largest = 0;
    for (let seq = 1; seq <= 50_000; seq += 1) {
      index.push({ ...LARGEST, lastSeq: seq });
      if (seq > 5_000) largest = Math.max(largest, index.sizeBytes / seq);
    }
    expect(largest).toBeLessThanOrEqual(24);
    for (let seq = 1; seq < 50_000; seq += 1) index.dropFirst();
    expect(index.sizeBytes).toBeLessThanOrEqual(64 * 20);
    expect([index.count, index.at(0)?.lastSeq]).toEqual([1, 50_000]);
    index.dropFirst();
    index.dropFirst();
    expect([index.count, index.at(0), index.find(1)]).toEqual([0, undefined, 0]);
  });

  it('stays small for a user of whom as much goes as comes', () => {
    const index = new RecordIndex();
    for (let seq = 1; seq <= 20_000; seq += 1) {
      index.push({ ...LARGEST, lastSeq: seq });
      if (seq > 30) index.dropFirst();
      expect(index.sizeBytes).toBeLessThanOrEqual(80 * 20);
    }
    expect([index.count, index.at(29)?.lastSeq, index.find(20_000)]).toEqual([30, 20_000, 29]);
  });

  it('holds records that are as far from each other as records can be', () => {
    const index = new RecordIndex();
    const far = [
      { ...LARGEST, lastSeq: 1, at: 0 },
      { ...LARGEST, lastSeq: 2, at: 2 ** 32 - 1 },
      { ...LARGEST, lastSeq: 3, at: 2 ** 32 },
      { ...LARGEST, lastSeq: 2 ** 40, at: 2 ** 40 },
      { ...LARGEST, lastSeq: 2 ** 40 + 1, at: 5 },
      LARGEST,
    ];
    for (const record of far) index.push(record);
    expect(far.map((_, position) => index.at(position))).toEqual(far);
    expect(far.map(({ lastSeq }) => index.find(lastSeq))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(index.find(2 ** 48)).toBe(6);
    for (const [dropped, { lastSeq }] of far.entries()) {
      expect([index.count, index.find(lastSeq)]).toEqual([far.length - dropped, 0]);
      index.dropFirst();
    }
  });
});

import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { endsInsidePair, splitText, textBytes } from '../src/delta-text.js';
import type { DeltaData } from '../src/rollup.js';
import { type DeltaPiece, Rollup } from '../src/rollup.js';

const OPTIONS = { rollupWindowMs: 40, maxDeltaTextBytes: 16_384, maxParts: 100 };
const piece = (text: string, part = 0) => ({ messageId: 'm', part, kind: 'text' as const, text });
const texts = (deltas: readonly DeltaData[] | undefined) => deltas?.map((delta) => delta.text);

/** Gives lists always, to be compared. */
class ListingRollup extends Rollup {
  override add(given: DeltaPiece, nowMs: number): readonly DeltaData[] | undefined {
    const due = super.add(given, nowMs);
    return due !== undefined && 'text' in due ? [due] : due;
  }
}

describe('textBytes', () => {
  it('counts what JSON writes, without the quotes', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\u0000\b\t\n\v\f\r', '"\\', '\ud800a'),
    );
    fc.assert(
      fc.property(text, (given) => {
        expect(textBytes(given)).toBe(Buffer.byteLength(JSON.stringify(given)) - 2);
      }),
    );
  });
});

describe('splitText', () => {
  it('keeps what fits whole, at the limit and one byte above it', () => {
    expect(splitText('', 4)).toEqual([]);
    expect(splitText('abcd', 4)).toEqual(['abcd']);
    expect(splitText('abcde', 4)).toEqual(['abcd', 'e']);
  });

  it('counts bytes and not characters', () => {
    expect(splitText('ééé', 4)).toEqual(['éé', 'é']);
    expect(splitText('日本', 4)).toEqual(['日', '本']);
  });

  it('never cuts a surrogate pair', () => {
    expect(splitText('a😀b', 4)).toEqual(['a', '😀', 'b']);
    expect(splitText('😀😀', 2)).toEqual(['😀', '😀']);
  });

  it('gives back every text in pieces within the limit that end in no pair', () => {
    const unit = fc.string({
      unit: fc.constantFrom('a', 'é', '日', '😀', '\ud83d', '\ude00'),
      maxLength: 200,
    });
    fc.assert(
      fc.property(unit, fc.integer({ min: 4, max: 40 }), (text, limit) => {
        const pieces = splitText(text, limit);
        expect(pieces.join('')).toBe(text);
        for (const [index, part] of pieces.entries()) {
          expect(Buffer.byteLength(part)).toBeLessThanOrEqual(limit);
          const next = pieces[index + 1]?.charCodeAt(0) ?? 0;
          expect(endsInsidePair(part) && next >= 0xdc00 && next < 0xe000).toBe(false);
        }
      }),
    );
  });
});

describe('the rollup', () => {
  it('lets the first delta of a part go at once', () => {
    const rollup = new ListingRollup(OPTIONS);
    expect(rollup.add(piece('a'), 0)).toEqual([{ ...piece('a'), offset: 0 }]);
    expect(rollup.dueAtMs).toBeUndefined();
  });

  it('gathers until the end of the window that the last one opened', () => {
    const rollup = new ListingRollup(OPTIONS);
    rollup.add(piece('a'), 0);
    expect(rollup.add(piece('b'), 1)).toEqual([]);
    expect(rollup.add(piece('c'), 39)).toEqual([]);
    expect(rollup.dueAtMs).toBe(40);
    expect(rollup.flush(40)).toEqual([{ ...piece('bc'), offset: 1 }]);
    expect(rollup.add(piece('d'), 79)).toEqual([]);
    expect(rollup.dueAtMs).toBe(80);
  });

  it('lets a delta go at once when the window is over', () => {
    const rollup = new ListingRollup(OPTIONS);
    rollup.add(piece('a'), 0);
    expect(texts(rollup.add(piece('b'), 40))).toEqual(['b']);
  });

  it('lets go at 16 KiB of UTF-8, and keeps the rest', () => {
    const rollup = new ListingRollup(OPTIONS);
    rollup.add(piece('a'), 0);
    expect(rollup.add(piece('x'.repeat(16_383)), 1)).toEqual([]);
    expect(texts(rollup.add(piece('yz'), 2))).toEqual([`${'x'.repeat(16_383)}y`]);
    expect(rollup.dueAtMs).toBe(42);
    expect(rollup.flush(42)).toEqual([{ ...piece('z'), offset: 16_385 }]);
  });

  it('lets go exactly 16 KiB without a rest, counted in bytes', () => {
    const rollup = new ListingRollup(OPTIONS);
    rollup.add(piece('a'), 0);
    expect(texts(rollup.add(piece('é'.repeat(8_192)), 1))).toEqual(['é'.repeat(8_192)]);
    expect(rollup.dueAtMs).toBeUndefined();
  });

  it('takes deltas of so many parts, whatever they are of, and nothing of one more', () => {
    const rollup = new ListingRollup({ ...OPTIONS, maxParts: 3 });
    const pieces = [piece('a'), piece('b', 1), { ...piece('c'), messageId: 'n' }];
    for (const one of pieces) expect(texts(rollup.add(one, 0))).toHaveLength(1);
    expect(rollup.add({ ...piece('d'), kind: 'reasoning' }, 100)).toBeUndefined();
    expect(rollup.add(piece('d', 2), 100)).toBeUndefined();
    expect(texts(rollup.add(piece('e', 1), 100))).toEqual(['e']);
    expect(rollup.finish(200)).toEqual([]);
  });

  it('splits a delta that is too large on its own', () => {
    const rollup = new ListingRollup(OPTIONS);
    const sent = rollup.add(piece('x'.repeat(40_000)), 0);
    expect(sent?.map(({ offset, text }) => [offset, text.length])).toEqual([
      [0, 16_384],
      [16_384, 16_384],
      [32_768, 7_232],
    ]);
  });

  it('lets what waits go before a delta of another part, message, kind or tool call', () => {
    for (const other of [
      { ...piece('b'), part: 1 },
      { ...piece('b'), messageId: 'n' },
      { ...piece('b'), kind: 'reasoning' as const },
      { ...piece('b'), toolCallId: 't' },
    ]) {
      const rollup = new ListingRollup(OPTIONS);
      rollup.add(piece('a'), 0);
      rollup.add(piece('waits'), 1);
      expect(texts(rollup.add(other, 2))).toEqual(['waits', 'b']);
    }
  });

  it('keeps half a surrogate pair until its other half comes, over other events too', () => {
    const rollup = new ListingRollup(OPTIONS);
    expect(texts(rollup.add(piece('a\ud83d'), 0))).toEqual(['a']);
    expect(rollup.flush(1)).toEqual([]);
    expect(rollup.add(piece('\ude00b'), 100)).toEqual([{ ...piece('😀b'), offset: 1 }]);
  });

  it('gives a half that stays alone at the end of the run', () => {
    const rollup = new ListingRollup(OPTIONS);
    rollup.add(piece('a\ud83d'), 0);
    expect(rollup.finish(1)).toEqual([{ ...piece('\ud83d'), offset: 1 }]);
    expect(rollup.finish(2)).toEqual([]);
  });

  it('reproduces every text of every part, whole, in order, at the right offsets', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'é', '😀', '\ud83d', '\ude00', 'xyz'),
      maxLength: 30,
    });
    const step = fc.record({
      text,
      part: fc.integer({ min: 0, max: 2 }),
      gapMs: fc.integer({ min: 0, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 4, max: 64 }), (steps, limit) => {
        const rollup = new ListingRollup({ ...OPTIONS, maxDeltaTextBytes: limit });
        const sent: DeltaData[] = [];
        let nowMs = 0;
        for (const next of steps) {
          nowMs += next.gapMs;
          if (rollup.dueAtMs !== undefined && rollup.dueAtMs <= nowMs) sent.push(...rollup.flush(nowMs));
          sent.push(...(rollup.add(piece(next.text, next.part), nowMs) ?? []));
        }
        sent.push(...rollup.finish(nowMs));
        for (const part of [0, 1, 2]) {
          let known = '';
          for (const delta of sent.filter((one) => one.part === part)) {
            expect(delta.offset).toBe(known.length);
            expect(Buffer.byteLength(delta.text)).toBeLessThanOrEqual(limit);
            known += delta.text;
          }
          expect(known).toBe(
            steps
              .filter((one) => one.part === part)
              .map((one) => one.text)
              .join(''),
          );
        }
      }),
    );
  });
});

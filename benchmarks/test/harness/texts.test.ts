import { expect, test } from '@jest/globals';
import { eventText, TextReader } from '../../src/harness/texts.js';

function read(texts: readonly string[]): readonly (readonly [number, number])[] {
  const reader = new TextReader();
  const found: [number, number][] = [];
  for (const text of texts) reader.read(text, (number, stamp) => found.push([number, stamp]));
  return found;
}

test('an event says its number and when it was emitted', () => {
  expect(read([eventText(1, 0), eventText(2, 987_654_321)])).toEqual([
    [1, 0],
    [2, 987_654_321],
  ]);
});

test('merged events are found again, also when they were cut in two', () => {
  const merged = Array.from({ length: 100 }, (_, index) => eventText(index + 1, 7)).join('');
  const pieces = merged.match(/[\s\S]{1,57}/g) ?? [];
  expect(read(pieces)).toEqual(Array.from({ length: 100 }, (_, index) => [index + 1, 7]));
});

test('a text that is no event is no number', () => {
  expect(read(['nothing\n', '12|3\n'])).toEqual([
    [Number.NaN, Number.NaN],
    [Number.NaN, Number.NaN],
  ]);
});

test('texts have the size that the workloads promise, and one in eight is not ASCII', () => {
  const texts = Array.from({ length: 64 }, (_, index) => eventText(index + 1, 0));
  const sizes = texts.map((text) => Buffer.byteLength(text));
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(10);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(110);
  expect(texts.filter((text) => Buffer.byteLength(text) > text.length)).toHaveLength(8);
});

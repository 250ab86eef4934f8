import { describe, expect, test } from '@jest/globals';
import { percentile, summarize } from '../../src/report/statistics.js';

describe('summarize', () => {
  test('gives the middle value of an odd count, and the range', () => {
    expect(summarize([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 });
  });

  test('gives the mean of the two middle values of an even count', () => {
    expect(summarize([4, 1, 2, 10])).toEqual({ median: 3, min: 1, max: 10 });
  });

  test('sorts by size, not by text', () => {
    expect(summarize([10, 9, 100])).toEqual({ median: 10, min: 9, max: 100 });
  });

  test('has nothing to say of no values', () => {
    expect(summarize([])).toBeUndefined();
  });
});

describe('percentile', () => {
  const sorted = Array.from({ length: 1_000 }, (_, index) => index + 1);

  test.each([
    [0.5, 501],
    [0.99, 991],
    [0.999, 1_000],
    [1, 1_000],
  ])('%f of 1 to 1,000 lies at %i', (share, value) => {
    expect(percentile(sorted, share)).toBe(value);
  });

  test('is no number without values', () => {
    expect(percentile([], 0.5)).toBeNaN();
  });
});

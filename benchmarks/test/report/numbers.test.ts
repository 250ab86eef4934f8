import { expect, test } from '@jest/globals';
import { formatNumber, formatSummary } from '../../src/report/numbers.js';

test.each([
  [0, '0.00'],
  [0.123, '0.12'],
  [9.876, '9.88'],
  [12.34, '12.3'],
  [-45.67, '-45.7'],
  [123.4, '123'],
  [1_234_567, '1,234,567'],
  [Number.NaN, '–'],
  [Number.POSITIVE_INFINITY, '–'],
])('%f is shown as %s', (value, text) => {
  expect(formatNumber(value)).toBe(text);
});

test('a summary is its median with its range', () => {
  expect(formatSummary({ median: 3, min: 1, max: 10 })).toBe('3.00 (1.00–10.0)');
  expect(formatSummary(undefined)).toBe('–');
});

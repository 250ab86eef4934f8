import { expect, test } from '@jest/globals';
import { OrderCheck } from '../../src/harness/order-check.js';

const NONE = { received: 0, duplicated: 0, reordered: 0, garbled: 0 };

test.each([
  ['in order', [1, 2, 3], { received: 3 }],
  ['with a gap', [1, 3, 4], { received: 3 }],
  ['with one twice', [1, 2, 2, 3], { received: 3, duplicated: 1 }],
  ['in another order', [1, 3, 2, 4], { received: 4, reordered: 1 }],
  ['with a late one twice', [2, 1, 1], { received: 2, reordered: 1, duplicated: 1 }],
  ['with what is no number', [1, Number.NaN, 0, -1, 1.5, 2], { received: 2, garbled: 4 }],
])('%s', (_, numbers, report) => {
  const check = new OrderCheck();
  for (const number of numbers) check.take(number);
  expect(check.report()).toEqual({ ...NONE, ...report });
});

test('begins with the number it is told', () => {
  const check = new OrderCheck(101);
  for (const number of [101, 102]) check.take(number);
  expect(check.report()).toEqual({ ...NONE, received: 2 });
  check.take(100);
  expect(check.report().duplicated).toBe(1);
});

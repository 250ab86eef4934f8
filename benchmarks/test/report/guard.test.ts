import { expect, test } from '@jest/globals';
import { compareWithBaseline } from '../../src/report/guard.js';

test.each([
  ['the same', 0.4, 0.4, false],
  ['cheaper', 0.3, 0.4, false],
  ['14 % dearer', 0.456, 0.4, false],
  ['16 % dearer', 0.464, 0.4, true],
])('%s: %f against %f', (_, ratio, baseline, failed) => {
  const [comparison] = compareWithBaseline({ A1: ratio }, { A1: baseline });
  expect(comparison).toMatchObject({ workload: 'A1', ratio, baseline, failed });
  expect(comparison?.change).toBeCloseTo(ratio / baseline - 1);
});

test('a ratio without a baseline fails', () => {
  expect(compareWithBaseline({ A9: 0.4 }, {})).toEqual([
    { workload: 'A9', ratio: 0.4, baseline: undefined, change: undefined, failed: true },
  ]);
});

test('a baseline that was not measured fails', () => {
  expect(compareWithBaseline({}, { A1: 0.4 })[0]).toMatchObject({
    workload: 'A1',
    baseline: 0.4,
    failed: true,
  });
});

import { expect, test } from '@jest/globals';
import { parseMaxOpenFiles } from '../../src/harness/file-descriptors.js';

test('reads the soft limit', () => {
  const text =
    'Limit                     Soft Limit           Hard Limit           Units     \n' +
    'Max open files            20000                1048576              files     \n' +
    'Max locked memory         8388608              8388608              bytes     \n';
  expect(parseMaxOpenFiles(text)).toBe(20_000);
});

test('no limit, or no such line, is undefined', () => {
  expect(
    parseMaxOpenFiles('Max open files            unlimited            unlimited            files'),
  ).toBeUndefined();
  expect(parseMaxOpenFiles('')).toBeUndefined();
});

import { expect, test } from '@jest/globals';
import { participants, schedule } from '../../src/harness/schedule.js';
import type { Workload } from '../../src/workloads/contract.js';

const WORKLOAD: Workload = {
  name: 'X',
  title: 'nothing: it does nothing',
  columns: [{ key: 'x', title: 'x' }],
  contestants: ['ws', 'runwire'],
  users: 0,
  run: () => Promise.resolve({ metrics: {} }),
};

test.each([
  ['those of the workload, when nobody says otherwise', {}, undefined, ['ws', 'runwire']],
  ['those that are asked for', {}, ['sse'], ['sse']],
  [
    'of those only the ones for whom the workload means something',
    { isForThem: true },
    ['sse', 'runwire'],
    ['runwire'],
  ],
])('the participants are %s', (_, changes, wanted, expected) => {
  expect(participants({ ...WORKLOAD, ...changes }, wanted)).toEqual(expected);
});

test('a workload that needs more descriptors than there are is left out, and said', async () => {
  const { entries, notices } = await schedule(
    [WORKLOAD, { ...WORKLOAD, name: 'Y', fileDescriptors: 2 ** 40 }],
    ['ws'],
  );
  expect(entries.map(({ workload }) => workload.name)).toEqual(['X']);
  expect(notices).toEqual([
    expect.stringMatching(
      /^Y is left out: it needs 1099511627776 file descriptors in one process, and there are \d+/,
    ),
  ]);
});

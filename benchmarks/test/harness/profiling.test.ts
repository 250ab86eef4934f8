import { expect, test } from '@jest/globals';
import { allocationShares, cpuShares } from '../../src/harness/profiling.js';

function callFrame(functionName: string, url = '', lineNumber = 0) {
  return { functionName, url, lineNumber, columnNumber: 0, scriptId: '0' };
}

test('the shares of a CPU profile are of the time that was not idle', () => {
  const shares = cpuShares({
    startTime: 0,
    endTime: 1_000,
    nodes: [
      { id: 1, callFrame: callFrame('(idle)') },
      { id: 2, callFrame: callFrame('append', 'file:///repo/packages/log/dist/log.js', 41) },
      { id: 3, callFrame: callFrame('(garbage collector)') },
      { id: 4, callFrame: callFrame('append', 'file:///repo/packages/log/dist/log.js', 41) },
    ],
    samples: [1, 2, 3, 4],
    timeDeltas: [600, 200, 100, 100],
  });
  expect(shares).toEqual([
    { frame: 'append log/dist/log.js:42', share: 0.75 },
    { frame: '(garbage collector)', share: 0.25 },
  ]);
});

test('the shares of an allocation profile are of all bytes, summed over the tree', () => {
  const leaf = { callFrame: callFrame('join'), selfSize: 100, children: [] };
  const shares = allocationShares({
    head: {
      callFrame: callFrame('(root)'),
      selfSize: 0,
      children: [{ callFrame: callFrame(''), selfSize: 300, children: [leaf, leaf] }],
    },
  });
  expect(shares.map(({ frame, share }) => [frame, share])).toEqual([
    ['(anonymous)', 0.6],
    ['join', 0.4],
    ['(root)', 0],
  ]);
});

import { describe, expect, test } from '@jest/globals';
import { formatGoal } from '../../src/report/goal.js';
import type { Sample } from '../../src/report/sample.js';
import { deliveryFaults } from '../../src/report/sample.js';
import { formatSummaryTable } from '../../src/report/summary-table.js';
import { formatTable, pairedRatios, rowsOf, type TableShape } from '../../src/report/table.js';

const SHAPE: TableShape & { readonly title: string } = {
  name: 'A1',
  title: 'burst: 200 users',
  columns: [
    { key: 'cpu', title: 'CPU' },
    { key: 'rate', title: 'rate' },
  ],
  contestants: ['ws', 'runwire'],
};
const infoOf = (contestant: string) => ({ title: `<${contestant}>`, merges: contestant === 'merging' });

function sample(contestant: string, round: number, cpu: number, extra: Partial<Sample> = {}): Sample {
  return {
    workload: 'A1',
    contestant,
    round,
    load: 1,
    tookMs: 1_000,
    metrics: { cpu, rate: 1_000 * round },
    ...extra,
  };
}

function delivery(changes: Partial<NonNullable<Sample['delivery']>['audit']> = {}) {
  const audit = {
    connections: 1,
    events: 100,
    received: 100,
    duplicated: 0,
    reordered: 0,
    garbled: 0,
    protocolFaults: 0,
  };
  return { expected: 100, audit: { ...audit, ...changes } };
}

describe('deliveryFaults', () => {
  test('finds none when everything came once', () => {
    expect(deliveryFaults({ delivery: delivery() }, infoOf('ws'))).toEqual([]);
  });

  test('names what is missing, twice, out of order and garbled', () => {
    const bad = delivery({
      events: 96,
      received: 93,
      duplicated: 3,
      reordered: 2,
      garbled: 1,
      protocolFaults: 4,
    });
    expect(deliveryFaults({ delivery: bad }, infoOf('ws'))).toEqual([
      '7 lost',
      '3 twice',
      '2 out of order',
      '1 garbled',
      '4 protocol faults',
    ]);
  });

  test('merged events void a run, unless the contestant is one that merges', () => {
    const merged = delivery({ events: 40 });
    expect(deliveryFaults({ delivery: merged }, infoOf('runwire'))).toEqual(['60 merged']);
    expect(deliveryFaults({ delivery: merged }, infoOf('merging'))).toEqual([]);
  });
});

describe('rows', () => {
  test('ratios are paired by round, and rounds without a partner do not count', () => {
    const ours = [sample('runwire', 1, 4), sample('runwire', 2, 6), sample('runwire', 3, 100)];
    const theirs = [sample('ws', 2, 12), sample('ws', 1, 16)];
    expect(pairedRatios('cpu', ours, theirs)).toEqual([0.25, 0.5]);
  });

  test('come in the order of the workload, then of appearance', () => {
    const rows = rowsOf(SHAPE, [sample('extra', 1, 1), sample('runwire', 1, 1), sample('ws', 1, 2)], infoOf);
    expect(rows.map(({ contestant }) => contestant)).toEqual(['ws', 'runwire', 'extra']);
  });

  test('ignore samples of other workloads', () => {
    expect(rowsOf(SHAPE, [sample('ws', 1, 1, { workload: 'A2' })], infoOf)).toEqual([]);
  });

  test('leave failed rounds out, and say why a contestant never ran', () => {
    const failure = 'the server process ended with 1\n    at x';
    const rows = rowsOf(SHAPE, [sample('ws', 1, 9, { failure }), sample('ws', 2, 3)], infoOf);
    expect(rows[0]).toMatchObject({ failure: undefined, values: { cpu: { median: 3, min: 3, max: 3 } } });
    const [never] = rowsOf(SHAPE, [sample('ws', 1, 9, { failure })], infoOf);
    expect(never).toMatchObject({ failure, values: {} });
  });

  test('do not count what is no number', () => {
    const [row] = rowsOf(SHAPE, [sample('ws', 1, Number.NaN), sample('ws', 2, 3)], infoOf);
    expect(row?.values['cpu']).toEqual({ median: 3, min: 3, max: 3 });
  });
});

describe('formatTable', () => {
  test('shows medians, ranges, ratios and deliveries', () => {
    const samples = [
      sample('ws', 1, 8, { delivery: delivery() }),
      sample('ws', 2, 10, { delivery: delivery() }),
      sample('runwire', 1, 4, { delivery: delivery({ received: 99, events: 99 }) }),
      sample('runwire', 2, 2.5, { delivery: delivery() }),
    ];
    expect(formatTable(SHAPE, rowsOf(SHAPE, samples, infoOf), infoOf).split('\n')).toEqual([
      '|           | CPU              | rate                | ratio to ws        | deliveries    |',
      '| --------- | ---------------- | ------------------- | ------------------ | ------------- |',
      '| <ws>      | 9.00 (8.00–10.0) | 1,500 (1,000–2,000) | 1.00 × (1.00–1.00) | all, in order |',
      '| <runwire> | 3.25 (2.50–4.00) | 1,500 (1,000–2,000) | 0.38 × (0.25–0.50) | **1 lost**    |',
    ]);
  });

  test('says nothing of deliveries where there were none, and why a row is empty', () => {
    const samples = [sample('ws', 1, 8), sample('runwire', 1, 0, { failure: 'out of memory\nstack' })];
    const cells = formatTable(SHAPE, rowsOf(SHAPE, samples, infoOf), infoOf)
      .split('\n')
      .map((line) => line.split('|').map((cell) => cell.trim()));
    expect(cells[2]?.slice(1, -1)).toEqual([
      '<ws>',
      '8.00 (8.00–8.00)',
      '1,000 (1,000–1,000)',
      '1.00 × (1.00–1.00)',
      '–',
    ]);
    expect(cells[3]?.slice(1, -1)).toEqual(['<runwire>', '–', '–', '–', '**not measured: out of memory**']);
  });
});

test('the summary has a line for each workload and names what a contestant did wrong', () => {
  const lossy = delivery({ received: 10, events: 10 });
  const samples = [sample('ws', 1, 8), sample('runwire', 1, 2), sample('uws', 1, 1, { delivery: lossy })];
  expect(formatSummaryTable([SHAPE], samples, infoOf).split('\n')).toEqual([
    '|                   | <runwire> | <ws> | <ws-ring> | <socket.io> | <sse> | <uws>          | Runwire is            | goal |',
    '| ----------------- | --------- | ---- | --------- | ----------- | ----- | -------------- | --------------------- | ---- |',
    '| **A1** burst: CPU | 2.00      | 8.00 | –         | –           | –     | 1.00 (90 lost) | 0.25 × (0.25–0.25) ws | –    |',
  ]);
});

test.each([
  ['a ratio that is met', { atMost: 0.25 }, '≤ 0.25 ×: met'],
  ['a ratio that is missed', { atMost: 0.2 }, '≤ 0.20 ×: missed, 1.25 times that'],
  ['a column that is met', { key: 'cpu', atMost: 2 }, '≤ 2.00: met'],
  ['a column that is not there', { key: 'other', atMost: 2 }, '≤ 2.00'],
])('the goal is shown with what came of it: %s', (_name, goal, shown) => {
  const rows = rowsOf(SHAPE, [sample('ws', 1, 8), sample('runwire', 1, 2)], infoOf);
  expect(
    formatGoal(
      goal,
      rows.find(({ contestant }) => contestant === 'runwire'),
    ),
  ).toBe(shown);
});

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseResults, type ResultsHead, readResults, writeResults } from '../../src/report/results-file.js';
import type { Sample } from '../../src/report/sample.js';

const HEAD: ResultsHead = {
  startedAt: '2030-01-02T03:04:05.678Z',
  rounds: 5,
  machine: { cpu: 'x', cores: 2, memoryGb: 8, system: 's', node: 'v20', packages: {} },
  notices: ['C is left out.'],
};
const SAMPLE: Sample = {
  workload: 'A1',
  contestant: 'ws',
  round: 1,
  load: 0.5,
  tookMs: 2_000,
  metrics: { cpu: 7 },
};
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-results-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

test.each(['complete', 'interrupted'] as const)(
  'a run that is %s is read back as it was written',
  async (end) => {
    const file = join(folder, 'new', 'run.jsonl');
    const writer = await writeResults(file, HEAD);
    writer.add(SAMPLE);
    await writer.close(end);
    expect(await readResults(file)).toEqual({ head: HEAD, samples: [SAMPLE], end });
    expect((await readFile(file, 'utf8')).split('\n')).toHaveLength(4);
  },
);

test('a file that was cut off is an interrupted run', () => {
  expect(parseResults([{ head: HEAD }, { sample: SAMPLE }])).toMatchObject({ end: 'interrupted' });
});

test('a file without a head is refused', () => {
  expect(() => parseResults([{ sample: SAMPLE }])).toThrow('These are no results');
});

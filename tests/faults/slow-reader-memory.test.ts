import { expect } from '@jest/globals';
import { faultRow, roundsOf } from './rows.js';
import { emitTo } from './stopped-reader.js';

const MEGABYTE = 1_000_000;
const RUNS = 10;
const MAX_COST_BYTES = 4 * MEGABYTE;

faultRow(
  ['[BR-5] slow reader', 'stopped while its user is sent 100 MB'],
  async (row) => {
    const costs: number[] = [];
    for (let round = 0; round < roundsOf(5); round += 1) {
      const reading = await emitTo('reading', RUNS);
      const stopped = await emitTo('stopped', RUNS);
      expect([reading.readBytes, stopped.readBytes]).toEqual([RUNS * 10 * MEGABYTE, RUNS * 10 * MEGABYTE]);
      row.audited(reading.report);
      row.audited(stopped.report);
      row.round();
      costs.push(stopped.usedBytes - reading.usedBytes);
    }
    const median = costs.sort((a, b) => a - b)[Math.floor(costs.length / 2)] ?? Number.NaN;
    row.note(`memory of the server over a reader that reads: ${(median / MEGABYTE).toFixed(2)} MB`);
    expect(median).toBeLessThanOrEqual(MAX_COST_BYTES);
  },
  600_000,
);

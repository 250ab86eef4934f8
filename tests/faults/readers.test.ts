import { describe } from '@jest/globals';
import { faultRow, roundsOf } from './rows.js';
import { overtaken } from './scenarios/retention.js';
import { besideHealthy, longReplay } from './scenarios/slow-readers.js';

describe('readers that are behind', () => {
  faultRow(
    ['[BR-5] 1,000 slow readers', 'beside 100 healthy users'],
    (row) => besideHealthy(row, roundsOf(2)),
    300_000,
  );
  faultRow(['[BR-4] fast reader', 'a replay of 12 MB as fast as it goes'], (row) =>
    longReplay(row, undefined),
  );
  faultRow(['[BR-8] retention', 'trims while a reader pages'], (row) => overtaken(row, roundsOf(3)));
});

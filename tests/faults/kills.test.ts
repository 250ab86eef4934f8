import { describe } from '@jest/globals';
import { faultRow, roundsOf } from './rows.js';
import { killsAtPoints, killsAtRandomTimes, killsWithALongLog } from './scenarios/kills.js';

const MANY_ROUNDS_MS = 600_000;

describe('a server that is killed', () => {
  faultRow(
    ['[BR-7] kill -9 of the server', 'random times'],
    (row) => killsAtRandomTimes(row, roundsOf(50)),
    MANY_ROUNDS_MS,
  );
  faultRow(
    ['[BR-7] kill -9 of the server', 'named points'],
    (row) => killsAtPoints(row, roundsOf(57)),
    MANY_ROUNDS_MS,
  );
  faultRow(['[BR-7] kill -9 of the server', '100,000 events in the log'], (row) =>
    killsWithALongLog(row, roundsOf(3)),
  );
});

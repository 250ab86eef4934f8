import { describe, it } from '@jest/globals';
import { unrecorded } from '../faults/rows.js';
import { killsAtPoints, killsAtRandomTimes } from '../faults/scenarios/kills.js';

/** One for each step of a message's way that ends in something durable or in front of the user. */
const POINTS = [
  'sql-commit:after',
  'append:before',
  'write:torn',
  'wake:before',
  'frame:after',
  'terminal-commit:after',
  'terminal-append:after',
  'segment-change:after',
];
const TEST_MS = 180_000;

/** A hundred kills at every point, and at any time, are `npm run test:faults`. */
describe('a server that dies', () => {
  it(
    '[BR-7] at named points, is back with the same log: nothing seen is contradicted, every run ends once',
    () => killsAtPoints(unrecorded(), POINTS.length, POINTS),
    TEST_MS,
  );

  it(
    '[BR-7] at any time, is back with the same log: nothing seen is contradicted, every run ends once',
    () => killsAtRandomTimes(unrecorded(), 2),
    TEST_MS,
  );
});

import { describe } from '@jest/globals';
import { patientRow, roundsOf } from './rows.js';
import { blackHole, slowLine } from './scenarios/connections.js';
import { freezes } from './scenarios/freezes.js';
import { longReplay } from './scenarios/slow-readers.js';

/** Most of their time is waiting, so they wait together. */
describe('faults that take their time', () => {
  patientRow(['[WS-8] slow reader', 'a replay of 12 MB at 100 KB/s'], (row) => longReplay(row, 100_000));
  patientRow(['[WS-8] black hole', 'nobody is told'], (row) => blackHole(row, roundsOf(1)));
  patientRow(['[BR-4] a line of 1 KB/s', 'from the beginning of an answer'], (row) =>
    slowLine(row, roundsOf(1)),
  );
  patientRow(['[BR-4] frozen server', 'SIGSTOP for 8 s, then SIGCONT'], (row) =>
    freezes(row, roundsOf(3), { frozenMs: 8_000, mayDisconnect: false }),
  );
  patientRow(['[BR-4] frozen server', 'SIGSTOP for 35 s, beyond the silence limit'], (row) =>
    freezes(row, roundsOf(1), { frozenMs: 35_000, mayDisconnect: true }),
  );
});

import { describe } from '@jest/globals';
import { faultRow, roundsOf } from './rows.js';
import * as connections from './scenarios/connections.js';

describe('connections that fail', () => {
  faultRow(['[BR-4] TCP reset', 'random points of random runs'], (row) =>
    connections.resets(row, roundsOf(15)),
  );
  faultRow(['[BR-4] TCP cut', 'random bytes inside frames'], (row) =>
    connections.cutsInsideFrames(row, roundsOf(10)),
  );
  faultRow(['[BR-4] TCP stall', 'up to 2 s, in one way or both'], (row) =>
    connections.stalls(row, roundsOf(9)),
  );
  faultRow(['[BR-4] byte-slicing', 'segments of 1 and 7 bytes, 40 ms away'], (row) =>
    connections.slices(row, roundsOf(2)),
  );
  faultRow(['[BR-4] second drop', 'inside the reconnect window'], (row) =>
    connections.secondDrops(row, roundsOf(5)),
  );
  faultRow(['[BR-4] drop', 'during replay'], (row) => connections.dropsDuringReplay(row, roundsOf(3)));
  faultRow(['[BR-4] drop', 'before the first event'], (row) =>
    connections.dropsBeforeTheFirstEvent(row, roundsOf(5)),
  );
  faultRow(['[BR-4] reconnect', 'before the server noticed the old socket'], (row) =>
    connections.returnsUnnoticed(row, roundsOf(5)),
  );
  faultRow(['[WS-8] black hole', 'until the page is shown or online again'], (row) =>
    connections.returnsToAPage(row, roundsOf(4)),
  );
});

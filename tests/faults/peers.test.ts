import { describe } from '@jest/globals';
import { faultRow, roundsOf } from './rows.js';
import { sendsNonsense } from './scenarios/bad-input.js';
import { comesAndGoes } from './scenarios/churn.js';
import { repeats } from './scenarios/commands.js';
import * as tokens from './scenarios/tokens.js';
import { forgesCursors, forgesIds } from './scenarios/trespassers.js';

const MINUTE_S = 60;

describe('peers that misbehave, or are unlucky', () => {
  faultRow(['[WS-5] churn', '100 connects a second, in every state, for a minute'], (row) =>
    comesAndGoes(row, MINUTE_S),
  );
  faultRow(['[WS-6] bad input', 'each kind, 25 times, beside healthy users'], (row) =>
    sendsNonsense(row, roundsOf(5)),
  );
  faultRow(['[AU-3] token', 'renewed in the midst of a stream, clocks 5 min off'], (row) =>
    tokens.renewedMidStream(row, roundsOf(1)),
  );
  faultRow(['[AU-3] token', 'expires in the midst of a stream'], (row) =>
    tokens.expiresMidStream(row, roundsOf(2)),
  );
  faultRow(['[AU-3] token', 'expires in the midst of a replay'], (row) =>
    tokens.expiresMidReplay(row, roundsOf(2)),
  );
  faultRow(['[AU-4] token', 'revoked in the midst of a stream'], (row) =>
    tokens.revokedMidStream(row, roundsOf(2)),
  );
  faultRow(['[AU-2] token', "missing, malformed, another user's"], (row) =>
    tokens.foreignMidStream(row, roundsOf(2)),
  );
  faultRow(['[TH-1] forged ids', "another user's run, thread, approval, command"], (row) =>
    forgesIds(row, roundsOf(3)),
  );
  faultRow(['[BR-8] forged cursor', "another user's, another log's, ahead, below, none"], (row) =>
    forgesCursors(row, roundsOf(3)),
  );
  faultRow(['[BR-4] command repeated', 'its connection was lost with the answer'], (row) =>
    repeats(row, roundsOf(5), 'the connection, with the answer on its way'),
  );
  faultRow(['[BR-7] command repeated', 'its server died between commit and answer'], (row) =>
    repeats(row, roundsOf(5), 'the server, between commit and answer'),
  );
});

import { describe } from '@jest/globals';
import { faultRow, roundsOf } from './rows.js';
import { misbehaves } from './scenarios/agents.js';
import { fullDisk } from './scenarios/disk.js';
import { stopsUnderLoad } from './scenarios/shutdowns.js';

describe('what goes wrong inside a server', () => {
  faultRow(['[AG-3] agent', 'throws'], (row) =>
    misbehaves(row, roundsOf(3), { agent: 'throws', status: 'failed', codes: ['AGENT_FAILED'] }),
  );
  faultRow(['[AG-3] agent', 'hangs'], (row) =>
    misbehaves(row, roundsOf(2), { agent: 'hangs', status: 'timed_out', codes: ['AGENT_TIMEOUT'] }),
  );
  faultRow(['[AG-3] agent', 'returns nothing'], (row) =>
    misbehaves(row, roundsOf(3), { agent: 'returns-nothing', status: 'failed', codes: ['AGENT_FAILED'] }),
  );
  faultRow(['[AG-8] agent', 'emits 100,000 deltas as fast as it can'], (row) =>
    misbehaves(row, roundsOf(2), { agent: 'floods', status: 'completed' }),
  );
  faultRow(['[AG-8] agent', 'emits without awaiting, for ever'], (row) =>
    // Whichever limit it reaches first: of what waits for the log, or of an answer as a whole.
    misbehaves(row, roundsOf(2), {
      agent: 'floods-unawaited',
      status: 'failed',
      codes: ['INTERNAL', 'ANSWER_TOO_LARGE'],
    }),
  );
  faultRow(['[AG-8] agent', 'blocks the event loop for 2 s'], (row) =>
    misbehaves(row, roundsOf(3), { agent: 'blocks', status: 'completed' }),
  );
  faultRow(['[BR-7] log append fails', 'the disk is full for 1.5 s'], (row) => fullDisk(row, roundsOf(4)));
  faultRow(['[ST-2] SIGTERM', 'while 20 answers stream'], (row) => stopsUnderLoad(row, roundsOf(3)));
});

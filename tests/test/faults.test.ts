import { describe, it } from '@jest/globals';
import { unrecorded } from '../faults/rows.js';
import { misbehaves } from '../faults/scenarios/agents.js';
import { comesAndGoes } from '../faults/scenarios/churn.js';
import { repeats } from '../faults/scenarios/commands.js';
import * as connections from '../faults/scenarios/connections.js';
import { fullDisk } from '../faults/scenarios/disk.js';
import { freezes } from '../faults/scenarios/freezes.js';
import { overtaken } from '../faults/scenarios/retention.js';
import { forgesCursors, forgesIds } from '../faults/scenarios/trespassers.js';

const TEST_MS = 120_000;

/**
 * Once or twice each, so that a change that breaks one shows at once. Each ends with the audit of everything that
 * was delivered; `npm run test:faults` does the same many times, and what takes minutes.
 */
const SCENARIOS: readonly (readonly [title: string, run: () => Promise<void>])[] = [
  ['[BR-4] users lose nothing when their connections are reset', () => connections.resets(unrecorded(), 2)],
  [
    '[BR-4] users lose nothing when their connections end in the midst of a frame',
    () => connections.cutsInsideFrames(unrecorded(), 1),
  ],
  ['[BR-4] users lose nothing when bytes come one at a time', () => connections.slices(unrecorded(), 1)],
  [
    '[BR-4] users lose nothing when the next connection is dropped too',
    () => connections.secondDrops(unrecorded(), 1),
  ],
  [
    '[BR-4] users lose nothing when their replay is cut again and again',
    () => connections.dropsDuringReplay(unrecorded(), 1),
  ],
  [
    '[BR-4] users lose nothing when they are dropped before the first event',
    () => connections.dropsBeforeTheFirstEvent(unrecorded(), 1),
  ],
  [
    '[BR-4] users are back before the server has noticed that they were gone',
    () => connections.returnsUnnoticed(unrecorded(), 1),
  ],
  [
    '[WS-8] a client whose page is shown again finds its dead link within 3 s',
    () => connections.returnsToAPage(unrecorded(), 1),
  ],
  [
    '[BR-4] a server that stood still for 2 s goes on, and nobody is cut off',
    () => freezes(unrecorded(), 1, { frozenMs: 2_000, mayDisconnect: false }),
  ],
  ['[WS-5] 100 connects a second in every state leave nothing behind', () => comesAndGoes(unrecorded(), 3)],
  [
    '[AG-3] a run whose agent throws fails, and tells nothing of the inside',
    () => misbehaves(unrecorded(), 1, { agent: 'throws', status: 'failed', codes: ['AGENT_FAILED'] }),
  ],
  [
    '[AG-8] an agent that blocks the event loop for 2 s cuts nobody off',
    () => misbehaves(unrecorded(), 1, { agent: 'blocks', status: 'completed' }),
  ],
  [
    '[BR-7] runs fail loudly while the disk is full, and all is well once there is space',
    () => fullDisk(unrecorded(), 1),
  ],
  [
    '[BR-4] a command whose answer was lost with its connection is done once',
    () => repeats(unrecorded(), 1, 'the connection, with the answer on its way'),
  ],
  [
    '[BR-7] a command whose server died behind the commit is done once',
    () => repeats(unrecorded(), 1, 'the server, between commit and answer'),
  ],
  [
    "[TH-1] another user's run, thread and approval are answered as if they were not there",
    () => forgesIds(unrecorded(), 1),
  ],
  ["[BR-8] another user's cursor gives nothing away", () => forgesCursors(unrecorded(), 1)],
  [
    '[BR-8] a reader that retention overtakes is told to start over, and goes on by itself',
    () => overtaken(unrecorded(), 1),
  ],
];

describe('faults', () => {
  it.each(SCENARIOS)('%s', async (_title, run) => run(), TEST_MS);
});

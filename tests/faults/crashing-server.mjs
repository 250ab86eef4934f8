// @ts-check
// The server as it is shipped, with faults inside that its environment names: see `ServerFaults` of the harness.
import { setTimeout } from 'node:timers/promises';
import { startServer } from '@runwire/server';
import { createCrashPoints } from './crash-points.mjs';
import { FAULT_AGENTS } from './fault-agents.mjs';
import { fullDisk } from './full-disk.mjs';

const { TEST_FAULTS = '{}', ...environment } = process.env;
/** @type {import('../harness/server-process.js').ServerFaults} */
const { crash, fullDiskFile, maxSegmentBytes, readyDelayMs = 0 } = JSON.parse(TEST_FAULTS);
const points = createCrashPoints(crash);

const server = await startServer(environment, {
  agents: FAULT_AGENTS,
  beforePhase: async (phase) => {
    if (phase === 'ready') await setTimeout(readyDelayMs);
  },
  decorate: {
    ...points,
    ...(maxSegmentBytes === undefined ? {} : { maxSegmentBytes }),
    disk: (disk) => points.disk(fullDiskFile === undefined ? disk : fullDisk(disk, fullDiskFile)),
  },
});
process.stdout.write(`Runwire is ready: ${server.url}\n`);
process.once('SIGTERM', () => {
  void server.close().then((clean) => process.exit(clean ? 0 : 1));
});

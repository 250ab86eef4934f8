import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { createConformanceContext, EVENT_LOG_CONFORMANCE } from '@runwire/event-log/testing';
import { createManualClock, type ManualClock } from '@runwire/kernel/testing';
import { type FsyncPolicy, openFileEventLog } from '../src/index.js';
import { createMemoryDisk } from '../src/testing/index.js';

const POLICIES: readonly FsyncPolicy[] = ['never', 'interval', 'always'];

describe.each(POLICIES)('the file log on a disk in memory keeps the contract, fsync %s', (fsync) => {
  for (const { name, run } of EVENT_LOG_CONFORMANCE) {
    it(`[CT-3] ${name}`, async () => {
      await using context = createConformanceContext({
        clock: clockWithTurns(),
        open: (deps, options) =>
          openFileEventLog({ ...deps, disk: createMemoryDisk() }, { directory: 'memory', fsync, ...options }),
      });
      await run(context);
    });
  }
});

describe.each(POLICIES)('the file log in a folder keeps the contract, fsync %s', (fsync) => {
  for (const { name, run } of EVENT_LOG_CONFORMANCE) {
    it(`[CT-3] ${name}`, async () => {
      const root = await mkdtemp(join(tmpdir(), 'runwire-log-'));
      let opened = 0;
      try {
        await using context = createConformanceContext({
          clock: clockWithTurns(),
          open: (deps, options) => {
            opened += 1;
            return openFileEventLog(deps, { directory: join(root, String(opened)), fsync, ...options });
          },
        });
        await run(context);
      } finally {
        await rm(root, { recursive: true, force: true });
      }
    });
  }
});

/** Time stands in the case's hands; turns come from the host, because real I/O does. */
function clockWithTurns(): ManualClock {
  const clock = createManualClock();
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));
  return {
    ...clock,
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    nextTurn: (run) => void setImmediate(run),
    settle: async () => {
      await settle();
      await clock.settle();
    },
    advance: async (ms) => {
      await clock.advance(ms);
      await settle();
    },
  };
}

import { describe, expect, it } from '@jest/globals';
import { endedRun, startRun } from '../harness/http-run.js';
import { createHarness, type Harness, type HttpUser, textOf } from '../harness/index.js';
import { PROBED, probeMemory } from '../harness/memory-probe.js';

const TEST_MS = 120_000;
const MEGABYTE = 1_000_000;
const FLOOD_DELTAS = 100_000;
/** So slow a log that what waits for it reaches its limit long before an answer reaches its own. */
const SLOW_LOG = { RUNWIRE_MAX_LOGGED_BYTES_PER_SECOND: String(MEGABYTE) };
/** What a server may keep of a flood that is over: its answer, its place in the log, warm caches. */
const MAX_GROWTH_BYTES = 8 * MEGABYTE;

describe('a run that floods', () => {
  it(
    '[AG-8] with 100,000 deltas as fast as they are taken keeps its text and does not grow the server',
    async () => {
      await using harness = await createHarness({ faults: {}, nodeFlags: PROBED });
      using probe = await probeMemory(harness.server);
      const user = await harness.register();
      const tab = harness.bare(user);
      await tab.untilControl('caught_up');
      await runToEnd(user, 'floods');
      const before = await probe.usedBytes();
      const runId = await runToEnd(user, 'floods');
      await tab.until('the end', ({ type, runId: of }) => type === 'agent_completed' && of === runId);
      expect((await probe.usedBytes()) - before).toBeLessThan(MAX_GROWTH_BYTES);
      const all = Array.from({ length: FLOOD_DELTAS }, (_, index) => `${index} `).join('');
      expect(textOf(tab.events, runId)).toBe(all);
    },
    TEST_MS,
  );

  it(
    '[AG-3, AG-8] and never awaits fails with EMIT_OVERFLOW, ends once, and leaves nothing behind',
    async () => {
      await using harness = await createHarness({ env: SLOW_LOG, faults: {}, nodeFlags: PROBED });
      using probe = await probeMemory(harness.server);
      const user = await harness.register();
      const tab = harness.bare(user);
      await tab.untilControl('caught_up');
      await runToEnd(user, 'floods-unawaited', 'failed');
      const before = await probe.usedBytes();
      const runId = await runToEnd(user, 'floods-unawaited', 'failed');
      const end = await tab.until(
        'the end',
        ({ type, runId: of }) => type === 'agent_completed' && of === runId,
      );
      expect(end['data'].status).toBe('failed');
      expect((await probe.usedBytes()) - before).toBeLessThan(MAX_GROWTH_BYTES);
      expect(harness.server.output()).toContain('EMIT_OVERFLOW');
      // What was shown is what it said, as far as it goes.
      const shown = textOf(tab.events, runId);
      const said = Array.from({ length: FLOOD_DELTAS }, (_, index) => `${index} `.repeat(100)).join('');
      expect(said.startsWith(shown)).toBe(true);
      await runToEnd(user, 'demo');
    },
    TEST_MS,
  );
});

describe("the budget of a user's runs", () => {
  it(
    'slows down all of them together, loses nothing, and concerns nobody else',
    async () => {
      const limit = 500_000;
      await using harness = await createHarness({
        env: { RUNWIRE_MAX_LOGGED_BYTES_PER_SECOND: String(limit) },
      });
      const [user, stranger] = [await harness.register(), await harness.register()];
      const begunAtMs = performance.now();
      const runs = [await startRun(user, 'write 1 MB'), await startRun(user, 'write 1 MB')];
      expect(await timeOf(harness, stranger)).toBeLessThan(1_500);
      for (const runId of runs) expect((await endedRun(user, runId)).status).toBe('completed');
      // The first second's worth is there from the start, and the last append may go over.
      expect(performance.now() - begunAtMs).toBeGreaterThan((2_000 * (MEGABYTE - limit)) / limit);
      const tab = harness.bare(user, { resume: { seq: 0 } });
      await tab.untilControl('caught_up');
      for (const runId of runs) expect(textOf(tab.events, runId)).toHaveLength(MEGABYTE);
    },
    TEST_MS,
  );
});

/** One run of an agent, from its message to its end. */
async function runToEnd(user: HttpUser, agent: string, status = 'completed'): Promise<string> {
  const runId = await startRun(user, 'go', agent);
  expect((await endedRun(user, runId)).status).toBe(status);
  return runId;
}

/** How long a short answer takes, in milliseconds. */
async function timeOf(harness: Harness, user: HttpUser): Promise<number> {
  const tab = harness.bare(user);
  await tab.untilControl('caught_up');
  const begunAtMs = performance.now();
  tab.send({ type: 'user_message', content: 'write 20 KB' });
  await tab.until('the end', ({ type }) => type === 'agent_completed');
  return performance.now() - begunAtMs;
}

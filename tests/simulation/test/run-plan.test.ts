import { AsyncResource } from 'node:async_hooks';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { generatePlan, withoutStreams } from '../src/generate.js';
import { HostGuard } from '../src/host-guard.js';
import type { Action, Plan } from '../src/plan.js';
import { runPlan } from '../src/run-plan.js';

const SCRIPT = {
  number: 0,
  steps: [
    { kind: 'text', pieces: 20, size: 12, salt: 3, paceMs: 15, awaits: true },
    { kind: 'tool', outcome: 'success', progress: 2, paceMs: 20 },
    { kind: 'text', pieces: 10, size: 9, salt: 4, paceMs: 10, awaits: true },
  ],
  ending: 'return',
} as const;

/** A plain world in which one message is sent, and what else is to happen. */
function plainPlan(...faults: Action[]): Plan {
  const { world } = generatePlan('1');
  const tab = {
    name: 'a1',
    user: 'a',
    page: {
      keeping: 'replayed',
      transport: 'websocket',
      maxBufferedEvents: 100,
      readerPaceMs: 0,
      keepsCommands: false,
      failsOnceIn: 0,
      onFailure: 'retry',
    },
    isPage: true,
    webSockets: 'pass',
    path: { latencyMs: 5, jitterMs: 1, bytesPerSecond: 1e7, windowBytes: 65_536, segmentBytes: 1_460 },
    clock: { skewMs: 0, maxTimerDelayMs: 1, maxTimerLeadMs: 0 },
    opensAtMs: 0,
  } as const;
  const send: Action = { atMs: 500, kind: 'send', tab: 'a1', script: SCRIPT, thread: 'new' };
  return { seed: 'plain', world: { ...world, tabs: [tab] }, actions: [send, ...faults] };
}

describe('a plan that is carried out', () => {
  it('ends with every promise kept when nothing goes wrong', async () => {
    const { tally, violation } = await runPlan(plainPlan());
    expect(violation).toBeUndefined();
    expect(tally.entries()).toContainEqual(['run completed', 1]);
  });

  it('has equal traces whenever it is carried out, read or not', async () => {
    const plan = withoutStreams(generatePlan('17'));
    const first = await runPlan(plan);
    const second = await runPlan(plan, { keepTrace: true });
    expect(second.hash).toBe(first.hash);
    expect(second.steps).toBe(first.steps);
    expect(first.trace.lines).toHaveLength(0);
    expect(second.trace.lines.length).toBeGreaterThan(0);
  });

  it('differs when it is another', async () => {
    const cut: Action = { atMs: 700, kind: 'cut', tab: 'a1', news: 'both', answersStrays: true };
    const [plain, faulty] = [await runPlan(plainPlan()), await runPlan(plainPlan(cut))];
    expect(faulty.hash).not.toBe(plain.hash);
  });

  it('tells what happens in lines that number ids by kind', async () => {
    const { trace } = await runPlan(plainPlan(), { keepTrace: true });
    const text = trace.format();
    expect(text).toMatch(/^ +0\.5000 {2}fate +\{"kind":"send".*"#0"/m);
    expect(text).toMatch(/a1\.1 +← \d+ agent_completed run 1$/m);
    expect(text).not.toMatch(/run_0/);
  });

  it('[BR-4] resumes behind a cut at any byte of the answer', async () => {
    for (let bytes = 1; bytes < 1_200; bytes += 97) {
      const cut: Action = { atMs: 520, kind: 'cutAfter', tab: 'a1', to: 'client', bytes, news: 'client' };
      const { tally, violation } = await runPlan(plainPlan(cut));
      expect(violation).toBeUndefined();
      expect(tally.entries()).toContainEqual(['client waiting 1006', expect.any(Number)]);
    }
  });

  it('[BR-7] outlives a process that is killed at each point of its work', async () => {
    for (const point of ['transaction', 'committed', 'append', 'appended', 'write', 'frame'] as const) {
      const crash: Action = {
        atMs: 400,
        kind: 'crash',
        node: 0,
        how: 'kill',
        point,
        after: 2,
        news: 'rst',
        keptBytes: 0,
        downMs: 300,
      };
      const { tally, violation } = await runPlan(plainPlan(crash));
      expect(violation).toBeUndefined();
      expect(tally.entries()).toContainEqual([`kill at ${point}`, 1]);
    }
  });
});

describe('while a seed runs', () => {
  function setUp() {
    const told: string[] = [];
    const guard = new HostGuard((what) => told.push(what));
    return { told, guard };
  }

  it.each(['setTimeout', 'setInterval', 'setImmediate'] as const)(
    '%s of the host is refused and told',
    (name) => {
      const { told, guard } = setUp();
      try {
        expect(() => globalThis[name](() => undefined)).toThrow(name);
      } finally {
        guard.release();
      }
      expect(told).toEqual([`${name} of the host was used`]);
    },
  );

  it("the host's time and chance are refused, and given back afterwards", () => {
    const { guard } = setUp();
    expect(() => Date.now()).toThrow('now');
    expect(() => Math.random()).toThrow('random');
    expect(() => performance.now()).toThrow('now');
    guard.release();
    expect(Date.now()).toBeGreaterThan(0);
    expect(Math.random()).toBeLessThan(1);
    expect(performance.now()).toBeGreaterThan(0);
  });

  it('a file that is being read is told, and one that was read before is not', async () => {
    const { told, guard } = setUp();
    guard.check();
    expect(told).toEqual([]);
    const read = readFile(new URL(import.meta.url));
    guard.check();
    guard.release();
    await read;
    expect(told).toEqual([expect.stringMatching(/^the host was given something to do: .*FSREQ/)]);
  });

  it('what others do with the host meanwhile is no business of it', async () => {
    const others = new AsyncResource('others');
    const { told, guard } = setUp();
    const read = others.runInAsyncScope(async () => await readFile(new URL(import.meta.url)));
    guard.check();
    guard.release();
    await read;
    expect(told).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import {
  createAgentRegistry,
  createRunSupervisor,
  DEFAULT_AGENT_RUNTIME_OPTIONS,
  defineAgent,
  defineTool,
  FAILURES,
} from '@runwire/agent-handler';
import { createManualClock } from '@runwire/kernel/testing';
import fc from 'fast-check';
import { z } from 'zod';
import { canonicalJson, redactFields } from '../src/json-value.js';
import { RunEnding } from '../src/run-ending.js';
import { titleOf } from '../src/title.js';
import { concludeRun, type RunVerdict } from '../src/verdict.js';
import { startWatchdog } from '../src/watchdog.js';
import { createHarness, forever } from './harness.js';

const run = async () => undefined;
const agent = (name: string) => defineAgent({ name, description: 'An agent.', run });

describe('definitions', () => {
  it('are refused with bad names, timeouts, limits, and tools of one name', () => {
    const tool = { name: 'a', description: 'A tool.', input: z.object({}), run };
    const invalid = [
      () => agent(''),
      () => agent('With Blank'),
      () => agent('x'.repeat(65)),
      () => defineTool({ ...tool, name: 'Über' }),
      () => defineTool({ ...tool, timeoutMs: 0 }),
      () => defineAgent({ name: 'a', description: 'An agent.', tools: [tool, tool], run }),
    ];
    for (const define of invalid) {
      expect(define).toThrow(expect.objectContaining({ code: 'AGENT_INVALID_DEFINITION' }));
    }
    const limits = { runTimeoutMs: -1 };
    expect(() => defineAgent({ name: 'a', description: 'An agent.', limits, run })).toThrow(
      expect.objectContaining({ code: 'AGENT_INVALID_OPTION', details: { option: 'limits.runTimeoutMs' } }),
    );
    expect(agent('x'.repeat(64)).name).toHaveLength(64);
  });

  it('are frozen', () => {
    expect(Object.isFrozen(agent('a'))).toBe(true);
    expect(Object.isFrozen(agent('a').tools)).toBe(true);
  });

  it('make a registry that names what it has', () => {
    const registry = createAgentRegistry([agent('a'), agent('b')], { defaultAgent: 'b' });
    expect(registry.get('a').name).toBe('a');
    expect(registry.list().map(({ name }) => name)).toEqual(['a', 'b']);
    expect(() => registry.get('c')).toThrow('There is no agent "c". The agents are: a, b.');
    expect(() => createAgentRegistry([agent('a')], { defaultAgent: 'c' })).toThrow(
      expect.objectContaining({ code: 'AGENT_UNKNOWN' }),
    );
    expect(() => createAgentRegistry([agent('a'), agent('a')], { defaultAgent: 'a' })).toThrow(
      expect.objectContaining({ code: 'AGENT_INVALID_DEFINITION' }),
    );
  });
});

describe('options', () => {
  it('have the defaults of the protocol and are refused out of range, by name', () => {
    expect(DEFAULT_AGENT_RUNTIME_OPTIONS).toEqual({
      maxRunsPerUser: 3,
      maxRuns: 200,
      maxRunAttempts: 3,
      maxAnswerBytes: 33_554_432,
      maxAnswerParts: 10_000,
      limits: { runTimeoutMs: 600_000, idleTimeoutMs: 60_000, stopTimeoutMs: 1_000 },
      toolTimeoutMs: 30_000,
      maxHistoryMessages: 100,
      commandWaitMs: 10_000,
      retryMinDelayMs: 250,
      retryMaxDelayMs: 10_000,
    });
    const { deps } = createHarness();
    for (const maxRuns of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => createRunSupervisor(deps, { maxRuns })).toThrow(
        expect.objectContaining({ code: 'AGENT_INVALID_OPTION', details: { option: 'maxRuns' } }),
      );
    }
  });
});

describe('verdicts', () => {
  const table: [RunVerdict, string, object][] = [
    [{ kind: 'returned', result: undefined }, 'streamed', { status: 'completed', result: 'streamed' }],
    [{ kind: 'returned', result: { text: 'said' } }, 'streamed', { status: 'completed', result: 'said' }],
    [{ kind: 'returned', result: undefined }, '', { status: 'failed', error: FAILURES.agentSilent }],
    [{ kind: 'returned', result: { text: '' } }, 'x', { status: 'failed', error: FAILURES.agentSilent }],
    [
      { kind: 'failed', failure: FAILURES.agentFailed, cause: 1 },
      'x',
      { status: 'failed', error: FAILURES.agentFailed },
    ],
    [{ kind: 'timedOut', limit: 'run' }, 'x', { status: 'timed_out', error: FAILURES.runTimeout }],
    [{ kind: 'timedOut', limit: 'idle' }, 'x', { status: 'timed_out', error: FAILURES.idleTimeout }],
    [{ kind: 'stopped', status: 'cancelled' }, 'x', { status: 'cancelled' }],
    [{ kind: 'stopped', status: 'interrupted' }, 'x', { status: 'interrupted', error: FAILURES.interrupted }],
  ];
  for (const [verdict, streamed, expected] of table) {
    it(`[AG-3] ${JSON.stringify(verdict)} after ${JSON.stringify(streamed)} ends ${JSON.stringify(expected)}`, () => {
      if (verdict.kind === 'takenOver' || verdict.kind === 'abandoned') throw new Error('has no end');
      expect(concludeRun(verdict, streamed)).toEqual(expected);
    });
  }

  it('are decided once, and whatever waits is let go', async () => {
    const ending = new RunEnding();
    const waits = ending.guard(forever());
    expect(await ending.guard(Promise.resolve(1))).toBe(1);
    expect(ending.decide({ kind: 'stopped', status: 'cancelled' })).toBe(true);
    expect(ending.decide({ kind: 'returned', result: { text: 'late' } })).toBe(false);
    expect(await ending.decided).toEqual({ kind: 'stopped', status: 'cancelled' });
    expect(ending.signal.aborted).toBe(true);
    await expect(waits).rejects.toMatchObject({ code: 'RUN_OVER' });
    await expect(ending.guard(Promise.resolve(1))).rejects.toMatchObject({ code: 'RUN_OVER' });
  });
});

describe('the watchdog', () => {
  it('expires at the earlier of the two limits, measured from the last event', async () => {
    const clock = createManualClock();
    let lastEmitAtMs = 0;
    const expired: [string, number][] = [];
    startWatchdog(clock, {
      limits: { runTimeoutMs: 100, idleTimeoutMs: 30, stopTimeoutMs: 1 },
      lastEmitAtMs: () => lastEmitAtMs,
      expired: (limit) => expired.push([limit, clock.monotonicMs()]),
    });
    await clock.advance(20);
    lastEmitAtMs = 20;
    await clock.advance(29);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual([['idle', 50]]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves no timer when it is stopped, and pays no heed to the wall clock', async () => {
    const clock = createManualClock();
    const watched = {
      limits: { runTimeoutMs: 100, idleTimeoutMs: 30, stopTimeoutMs: 1 },
      lastEmitAtMs: () => 0,
    };
    let isExpired = false;
    const watchdog = startWatchdog(clock, {
      ...watched,
      expired: () => {
        isExpired = true;
      },
    });
    clock.jumpWallClock(3_600_000);
    await clock.advance(29);
    expect(isExpired).toBe(false);
    watchdog.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('texts', () => {
  it('canonical JSON is equal exactly for equal values', () => {
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, part]) => [key, shuffled(part)]),
      );
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    expect(canonicalJson({ a: [1, 2] })).not.toBe(canonicalJson({ a: [2, 1] }));
  });

  it('redaction changes the named fields and nothing else', () => {
    const value = { key: 1, list: [{ key: { deep: 2 }, other: null }], text: 'key' };
    expect(redactFields(value, ['key'])).toEqual({
      key: '[redacted]',
      list: [{ key: '[redacted]', other: null }],
      text: 'key',
    });
    expect(redactFields(value, [])).toBe(value);
    expect(redactFields('key', ['key'])).toBe('key');
  });

  it('titles are one line of at most 80 characters, none of them cut in half', () => {
    expect(titleOf('\n  Hello   there \n world')).toBe('Hello there');
    expect(titleOf('x'.repeat(80))).toBe('x'.repeat(80));
    expect(titleOf('x'.repeat(81))).toBe(`${'x'.repeat(79)}…`);
    expect(titleOf(`a${' '.repeat(60_000)}b`)).toBe('a');
    expect(titleOf('👩‍👩‍👧'.repeat(81))).toBe(`${'👩‍👩‍👧'.repeat(79)}…`);
  });
});

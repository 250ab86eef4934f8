import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import type { UserId } from '@runwire/id-generation';
import { createManualClock } from '@runwire/kernel/testing';
import { LogBudget } from '../src/log-budget.js';
import { TokenBucket } from '../src/token-bucket.js';
import { UserBudgets } from '../src/user-budgets.js';
import { range } from './support/harness.js';
import type { Append } from './support/recorded-run.js';
import { setUpRun } from './support/recorded-run.js';

describe('the token bucket', () => {
  it('holds one second, may be overdrawn once, and fills at its rate', () => {
    const bucket = new TokenBucket(1_000, 0);
    bucket.take(999, 0);
    expect(bucket.delayMs(0)).toBe(0);
    bucket.take(501, 0);
    expect(bucket.delayMs(0)).toBe(501);
    expect(bucket.delayMs(500)).toBe(1);
    expect(bucket.delayMs(501)).toBe(0);
  });

  it('never holds more than one second', () => {
    const bucket = new TokenBucket(1_000, 0);
    bucket.take(1_000, 3_600_000);
    expect(bucket.delayMs(3_600_000)).toBe(1);
  });

  it('is full again when what was taken has come back', () => {
    const bucket = new TokenBucket(1_000, 0);
    expect(bucket.isFull(0)).toBe(true);
    bucket.take(1_500, 0);
    expect([bucket.isFull(1_499), bucket.isFull(1_500)]).toEqual([false, true]);
  });
});

describe('a budget', () => {
  it('serves those who wait in the order of asking, and nobody past them', async () => {
    const clock = createManualClock();
    const budget = new LogBudget(clock, 1_000);
    const served: string[] = [];
    const serve = (name: string, bytes: number) => () => {
      served.push(name);
      budget.take(bytes);
    };
    budget.take(1_000);
    budget.wait(serve('first', 500));
    budget.wait(serve('second', 100));
    const leave = budget.wait(serve('gone', 100));
    budget.wait(serve('third', 100));
    leave();
    await clock.advance(1);
    expect(served).toEqual(['first']);
    expect(budget.isOpen).toBe(false);
    await clock.advance(500);
    expect(served).toEqual(['first', 'second']);
    await clock.advance(100);
    expect(served).toEqual(['first', 'second', 'third']);
    await clock.advance(100);
    expect(budget.isOpen).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is not open to those who come while others wait, though their time has come', async () => {
    const clock = createManualClock();
    const budget = new LogBudget(clock, 1_000);
    budget.take(1_000);
    const seen: boolean[] = [];
    clock.setTimer(1, () => seen.push(budget.isOpen));
    budget.wait(() => seen.push(budget.isOpen));
    await clock.advance(1);
    expect(seen).toEqual([false, true]);
  });

  it('has one timer while somebody waits, and none otherwise', () => {
    const clock = createManualClock();
    const budget = new LogBudget(clock, 1_000);
    budget.take(2_000);
    const leaving = range(1, 3).map(() => budget.wait(() => undefined));
    expect(clock.pendingTimers).toBe(1);
    for (const leave of leaving) leave();
    expect(clock.pendingTimers).toBe(0);
  });

  it('outlives the last run of its user until it is untouched, and is forgotten then', async () => {
    const clock = createManualClock();
    const budgets = new UserBudgets(clock, 1_000);
    const [one, two] = ['usr_one', 'usr_two'] as UserId[] as [UserId, UserId];
    const first = budgets.lease(one);
    first.budget.take(1_500);
    first.release();
    const second = budgets.lease(one);
    expect(second.budget).toBe(first.budget);
    const beside = budgets.lease(one);
    second.release();
    await clock.advance(1_500);
    budgets.lease(two).release();
    expect(budgets.size).toBe(1);
    beside.release();
    expect(budgets.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('of users whose runs have ended are kept no longer than they are used up, however many', async () => {
    const clock = createManualClock();
    const budgets = new UserBudgets(clock, 1_000);
    for (const n of range(1, 2_000)) {
      const { budget, release } = budgets.lease(`usr_${n}` as UserId);
      budget.take(100);
      release();
      await clock.advance(1);
      expect(budgets.size).toBeLessThanOrEqual(100);
    }
  });
});

/** Bytes that an append counts for: what is encoded, and the envelope that the log adds. */
function counted(appends: readonly Append[]): number {
  const drafts = appends.flatMap((append) => append.drafts);
  return drafts.reduce((sum, draft) => sum + Buffer.byteLength(JSON.stringify(draft)) + 256, 0);
}

function setUpBudget(maxLoggedBytesPerSecond: number, maxAppendBytes = 262_144) {
  const setup = setUpRun({ options: { emit: { maxLoggedBytesPerSecond, maxAppendBytes } } });
  const probe = { type: 'agent_thinking', threadId: '', runId: '', data: { agent: 'a', text: '' } };
  const { threadId, runId } = setup.context();
  const overhead = Buffer.byteLength(JSON.stringify({ ...probe, threadId, runId })) + 256;
  return {
    ...setup,
    /** An event that counts for exactly so many bytes. */
    thought: (bytes: number) => ({ agent: 'a', text: 'x'.repeat(bytes - overhead) }),
  };
}

describe("what a user's runs log in a second", () => {
  it('does not wait up to the limit, and waits above it', async () => {
    const { emitter, thought, appends, clock } = setUpBudget(10_000);
    const run = emitter();
    await run.agentThinking(thought(4_000));
    await run.agentThinking(thought(6_000));
    expect(counted(appends)).toBe(10_000);
    const above = run.agentThinking(thought(15_000));
    await clock.settle();
    expect(appends).toHaveLength(2);
    await clock.advance(1);
    await above;
    // Overdrawn: the next one waits until all of that is paid back.
    const next = run.agentThinking(thought(1_000));
    await clock.advance(1_499);
    expect(appends).toHaveLength(3);
    await clock.advance(1);
    await next;
    run.close();
  });

  it('holds over all of its runs, at once and one after the other, and concerns no other user', async () => {
    const limit = 100_000;
    const { emitter, thought, appends, clock, ids } = setUpBudget(limit, 10_000);
    const flood = range(1, 3).map(async () => {
      for (const _ of range(1, 4)) {
        await using run = emitter();
        for (const __ of range(1, 10)) await run.agentThinking(thought(10_000));
      }
    });
    await clock.settle();
    const stranger = emitter(ids.userId());
    await stranger.agentThinking(thought(limit));
    stranger.close();
    for (let second = 0; second <= 10; second += 1) {
      const bytes = counted(appends) - limit;
      expect(bytes).toBeGreaterThanOrEqual(limit * (second + 1));
      expect(bytes).toBeLessThanOrEqual(limit * (second + 1) + 10_000);
      await clock.advance(1_000);
    }
    await clock.advance(1_000);
    await Promise.all(flood);
    expect(counted(appends)).toBe(13 * limit);
  });

  it('counts deltas as they are encoded, escapes and envelopes included', async () => {
    const limit = 100_000;
    const { emitter, delta, appends, clock, log, userId } = setUpBudget(limit);
    const run = emitter();
    for (const part of range(0, 19)) void run.agentDelta(delta('\u0000'.repeat(4_000), part));
    await clock.settle();
    expect(counted(appends)).toBeLessThanOrEqual(limit + 262_144);
    const { epoch } = await log.stream(userId);
    const page = await log.read(userId, { after: { epoch, seq: 0 }, limitEvents: 100, limitBytes: 1e9 });
    const stored = page.kind === 'page' ? page.events : [];
    const bytes = stored.reduce((sum, event) => sum + event.bytes, 0);
    expect(stored.length).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(counted(appends));
    // Each text is cut into two deltas.
    expect(bytes).toBeGreaterThan((stored.length / 2) * 24_000);
    run.close();
  });

  it('lets an event that is larger than the limit go, once, and everything behind it later', async () => {
    const { emitter, thought, appends, clock } = setUpBudget(1_000);
    const runs = [emitter(), emitter()] as const;
    await runs[0].agentThinking(thought(262_144));
    const waiting = [
      runs[0].agentThinking(thought(262_144)),
      runs[1].agentThinking(thought(500)),
      runs[0].agentThinking(thought(500)),
    ];
    await clock.advance(261_144);
    expect(appends).toHaveLength(1);
    await clock.advance(1);
    expect(appends).toHaveLength(2);
    await clock.advance(300_000);
    await Promise.all(waiting);
    expect(appends.map(({ producer }) => producer?.id)).toEqual(
      [0, 0, 1, 0].map((index) => runs[index === 1 ? 1 : 0].context.runId),
    );
    for (const run of runs) run.close();
  });

  it('is shared in turn: a run that floods does not keep another from its next event', async () => {
    const { emitter, thought, appends, clock } = setUpBudget(10_000, 1_000);
    const [flooding, quiet] = [emitter(), emitter()];
    const flood = range(1, 300).map(() => flooding.agentThinking(thought(1_000)));
    await clock.settle();
    for (const _ of range(1, 5)) {
      const before = appends.length;
      const said = quiet.agentThinking(thought(1_000));
      await clock.advance(201);
      await said;
      expect(appends.slice(before).map(({ producer }) => producer?.id)).toContain(quiet.context.runId);
    }
    flooding.close();
    await Promise.allSettled(flood);
    quiet.close();
    expect(clock.pendingTimers).toBeLessThanOrEqual(1);
  });
});

import { describe, expect, it } from '@jest/globals';
import { createActorClock } from '../src/actor-clock.js';
import { createPrng } from '../src/prng.js';
import { Scheduler } from '../src/scheduler.js';
import { Trace } from '../src/trace.js';

const FOREVER = 1_000_000;

function setUp() {
  const uncaught: unknown[] = [];
  const scheduler = new Scheduler({
    prng: createPrng('scheduler'),
    trace: new Trace({ keepLines: false }),
    uncaught: (_actor, cause) => uncaught.push(cause),
  });
  const run = () => scheduler.run(() => false, FOREVER);
  return { scheduler, uncaught, run, actor: scheduler.createActor('page') };
}

describe('the scheduler', () => {
  it('lets things happen in the order of their instants', async () => {
    const { scheduler, actor, run } = setUp();
    const seen: number[] = [];
    for (const ms of [30, 10, 20]) scheduler.schedule(actor, ms, 'x', () => seen.push(scheduler.nowMs));
    await run();
    expect(seen).toEqual([10, 20, 30]);
  });

  it('finishes every promise of a step before the next step', async () => {
    const { scheduler, actor, run } = setUp();
    const seen: string[] = [];
    scheduler.schedule(actor, 1, 'first', () => {
      void (async () => {
        for (let hop = 0; hop < 500; hop += 1) await Promise.resolve();
        seen.push('first');
      })();
    });
    scheduler.schedule(actor, 1.001, 'second', () => seen.push('second'));
    await run();
    expect(seen).toEqual(['first', 'second']);
  });

  it('cancels what has not happened', async () => {
    const { scheduler, actor, run } = setUp();
    let happened = false;
    const ticket = scheduler.schedule(actor, 10, 'x', () => {
      happened = true;
    });
    ticket.cancel();
    await run();
    expect(happened).toBe(false);
  });

  it('lets nothing happen to an actor that was killed, its promises included', async () => {
    const { scheduler, actor, run } = setUp();
    let settled = false;
    void scheduler.delay(actor, 10, 'x').then(() => {
      settled = true;
    });
    scheduler.kill(actor);
    await run();
    expect(settled).toBe(false);
  });

  it('puts off what happens to a stalled actor, in its order, and nothing of others', async () => {
    const { scheduler, actor, run } = setUp();
    const other = scheduler.createActor('other');
    const seen: string[] = [];
    scheduler.stall(actor, 100);
    scheduler.schedule(actor, 20, 'x', () => seen.push(`b ${scheduler.nowMs}`));
    scheduler.schedule(actor, 10, 'x', () => seen.push(`a ${scheduler.nowMs}`));
    scheduler.schedule(other, 50, 'x', () => seen.push(`other ${scheduler.nowMs}`));
    await run();
    expect(seen).toEqual(['other 50', 'a 100', 'b 100']);
  });

  it('tells of an exception that nobody caught, and goes on', async () => {
    const { scheduler, actor, run, uncaught } = setUp();
    const cause = new Error('uncaught');
    let happened = false;
    scheduler.schedule(actor, 1, 'x', () => {
      throw cause;
    });
    scheduler.schedule(actor, 2, 'x', () => {
      happened = true;
    });
    await run();
    expect(uncaught).toEqual([cause]);
    expect(happened).toBe(true);
  });

  it('stops at the instant it is given', async () => {
    const { scheduler, actor } = setUp();
    let happened = 0;
    for (const ms of [10, 20]) scheduler.schedule(actor, ms, 'x', () => (happened += 1));
    await scheduler.run(() => false, 15);
    expect(happened).toBe(1);
    expect(scheduler.nowMs).toBe(15);
  });
});

describe("an actor's clock", () => {
  const habits = { skewMs: -5_000, maxTimerDelayMs: 30, maxTimerLeadMs: 0.9 };

  it('fires timers a little early at most, and late within its habits', async () => {
    const { scheduler, actor, run } = setUp();
    const clock = createActorClock({ scheduler, prng: createPrng('clock') }, actor, habits);
    const late: number[] = [];
    for (let n = 0; n < 200; n += 1) clock.setTimer(50, () => late.push(clock.monotonicMs() - 50));
    await run();
    expect(Math.min(...late)).toBeGreaterThanOrEqual(-0.9);
    expect(Math.max(...late)).toBeLessThanOrEqual(30);
    expect(late.some((ms) => ms < 0)).toBe(true);
  });

  it('keeps the order of the calls of a turn', async () => {
    const { scheduler, actor, run } = setUp();
    const clock = createActorClock({ scheduler, prng: createPrng('clock') }, actor, habits);
    const seen: number[] = [];
    for (const n of [1, 2, 3]) clock.nextTurn(() => seen.push(n));
    await run();
    expect(seen).toEqual([1, 2, 3]);
  });

  it('jumps with its wall clock alone', () => {
    const { scheduler, actor } = setUp();
    const clock = createActorClock({ scheduler, prng: createPrng('clock') }, actor, habits);
    const before = { wall: clock.nowMs(), monotonic: clock.monotonicMs() };
    clock.jump(60_000);
    expect(clock.nowMs() - before.wall).toBe(60_000);
    expect(clock.monotonicMs()).toBe(before.monotonic);
  });

  it('knows the timers that are set and neither fired nor cancelled', async () => {
    const { scheduler, actor, run } = setUp();
    const clock = createActorClock({ scheduler, prng: createPrng('clock') }, actor, habits);
    const cancelled = clock.setTimer(10, () => undefined);
    clock.setTimer(20, () => undefined);
    cancelled.cancel();
    expect(clock.pendingTimers).toHaveLength(1);
    await run();
    expect(clock.pendingTimers).toHaveLength(0);
  });
});

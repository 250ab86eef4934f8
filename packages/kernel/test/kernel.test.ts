import { describe, expect, it } from '@jest/globals';
import {
  CodedError,
  createDeferred,
  createSystemClock,
  createTurnQueue,
  isCodedError,
} from '../src/index.js';
import { createManualClock, createRecordingLogger } from '../src/testing/index.js';

describe('CodedError', () => {
  it('carries code, message, cause and details', () => {
    const cause = new Error('disk');
    const error = new CodedError('LOG_FULL', 'The log is full.', { cause, details: { bytes: 3 } });
    expect(error).toMatchObject({ code: 'LOG_FULL', message: 'The log is full.', details: { bytes: 3 } });
    expect(error.cause).toBe(cause);
  });

  it('is recognised by its code, whichever copy made it', () => {
    const foreign = Object.assign(new Error('x'), { code: 'LOG_FULL' });
    expect(isCodedError(foreign, 'LOG_FULL')).toBe(true);
    expect(isCodedError(foreign, 'OTHER')).toBe(false);
    expect(isCodedError(new Error('x'))).toBe(false);
    expect(isCodedError({ code: 'LOG_FULL' })).toBe(false);
  });
});

describe('createDeferred', () => {
  it('resolves once and says whether it is pending', async () => {
    const deferred = createDeferred<number>();
    expect(deferred.pending).toBe(true);
    deferred.resolve(1);
    deferred.resolve(2);
    expect(deferred.pending).toBe(false);
    await expect(deferred.promise).resolves.toBe(1);
  });

  it('rejects with the given reason', async () => {
    const deferred = createDeferred();
    deferred.reject(new Error('gone'));
    await expect(deferred.promise).rejects.toThrow('gone');
  });
});

describe('a turn queue', () => {
  it('serves in a row, behind what is under way, and what comes meanwhile in the next row', async () => {
    const order: string[] = [];
    const queue = createTurnQueue<string>((item) => {
      order.push(item);
      if (item === 'one') queue.add('three');
    });
    queue.add('one');
    queue.add('two');
    order.push('under way');
    await Promise.resolve();
    expect(order).toEqual(['under way', 'one', 'two']);
    await Promise.resolve();
    expect(order).toEqual(['under way', 'one', 'two', 'three']);
  });

  it('serves at once when it is told to, and each item once', async () => {
    const order: string[] = [];
    const queue = createTurnQueue<string>((item) => order.push(item));
    queue.add('one');
    queue.serve();
    queue.add('two');
    expect(order).toEqual(['one']);
    await Promise.resolve();
    expect(order).toEqual(['one', 'two']);
  });
});

describe('the system clock', () => {
  it('runs a turn before a later timer and never goes backwards', async () => {
    const clock = createSystemClock();
    const before = clock.monotonicMs();
    const order: string[] = [];
    const done = createDeferred();
    clock.setTimer(5, () => {
      order.push('timer');
      done.resolve();
    });
    clock.nextTurn(() => order.push('turn'));
    const keepAlive = setInterval(() => undefined, 1_000);
    await done.promise;
    clearInterval(keepAlive);
    expect(order).toEqual(['turn', 'timer']);
    expect(clock.monotonicMs()).toBeGreaterThan(before);
  });
});

describe('the manual clock', () => {
  it('fires timers in order of their instant, with the time they were set for', async () => {
    const clock = createManualClock();
    const seen: [string, number][] = [];
    clock.setTimer(20, () => seen.push(['b', clock.monotonicMs()]));
    clock.setTimer(10, () => {
      seen.push(['a', clock.monotonicMs()]);
      clock.setTimer(5, () => seen.push(['nested', clock.monotonicMs()]));
    });
    await clock.advance(19);
    expect(seen).toEqual([
      ['a', 10],
      ['nested', 15],
    ]);
    await clock.advance(1);
    expect(seen.at(-1)).toEqual(['b', 20]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not fire a cancelled timer', async () => {
    const clock = createManualClock();
    let fired = false;
    clock
      .setTimer(1, () => {
        fired = true;
      })
      .cancel();
    await clock.advance(10);
    expect(fired).toBe(false);
  });

  it('runs turns and what they cause without moving time', async () => {
    const clock = createManualClock();
    const seen: number[] = [];
    clock.nextTurn(() => {
      seen.push(1);
      clock.nextTurn(() => seen.push(2));
    });
    await clock.settle();
    expect(seen).toEqual([1, 2]);
    expect(clock.monotonicMs()).toBe(0);
  });

  it('moves the wall clock alone when it jumps', () => {
    const clock = createManualClock(1_000);
    clock.jumpWallClock(-500);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([500, 0]);
  });
});

describe('the recording logger', () => {
  it('keeps the lines of its children with their fields', () => {
    const logger = createRecordingLogger();
    logger.child({ runId: 'r' }).warn({ n: 1 }, 'late');
    expect(logger.lines).toEqual([{ level: 'warn', fields: { runId: 'r', n: 1 }, message: 'late' }]);
  });
});

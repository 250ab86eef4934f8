import { describe, expect, it } from '@jest/globals';
import { diskError } from '../src/testing/index.js';
import { codeOf, renamed, runStarted, thinking } from './support/calls.js';
import { type Scene, setScene } from './support/scene.js';

/** Sizes of the writes from now on. */
function writesOf(scene: Scene): number[] {
  const sizes: number[] = [];
  scene.disk.onOperation = ({ kind, bytes }) => {
    if (kind === 'write') sizes.push(bytes);
  };
  return sizes;
}

/** Holds every sync back until it is let go. */
function holdSyncs(scene: Scene): { readonly waiting: number; release(): void } {
  let held: (() => void)[] = [];
  scene.disk.delay = () => new Promise((resolve) => held.push(resolve));
  return {
    get waiting() {
      return held.length;
    },
    release() {
      scene.disk.delay = undefined;
      const released = held;
      held = [];
      for (const resolve of released) resolve();
    },
  };
}

describe('a group of appends', () => {
  it('is what is submitted together, and then all that a turn brings, in one write each', async () => {
    await using scene = await setScene();
    const writes = writesOf(scene);
    const submit = (count: number) =>
      Array.from({ length: count }, (_, n) =>
        scene.log.append(n % 2 === 0 ? scene.user : scene.other, [scene.said(`${n}`)]),
      );
    const together = submit(50);
    expect(writes).toHaveLength(0);
    await Promise.all(together);
    expect(writes).toHaveLength(1);
    const [first, ...rest] = [submit(1), submit(20)];
    await Promise.resolve();
    expect(writes).toHaveLength(1);
    await Promise.all([...first, ...rest.flat(), ...submit(20)]);
    expect(writes).toHaveLength(2);
    await scene.clock.settle();
    await scene.say(scene.user, 'after a pause at once');
    expect(writes).toHaveLength(3);
  });

  it('does not wait for the end of a turn that brings too many', async () => {
    await using scene = await setScene();
    const writes = writesOf(scene);
    const appends = Array.from({ length: 514 }, () =>
      scene.log.append(scene.ids.userId(), [scene.said('x')]),
    );
    expect(writes).toHaveLength(1);
    await Promise.all(appends);
    expect(writes).toHaveLength(2);
  });

  it('takes no more when it has 4 MiB', async () => {
    await using scene = await setScene();
    await scene.say(scene.user, 'busy');
    const writes = writesOf(scene);
    const large = scene.said('x'.repeat(261_000));
    const appends = Array.from({ length: 40 }, () => scene.log.append(scene.ids.userId(), [large]));
    await Promise.all(appends);
    expect(writes.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...writes)).toBeLessThanOrEqual(4 * 1_048_576 + 263_000);
  });

  it('has several appends of a user, but not those that depend on each other', async () => {
    await using scene = await setScene();
    const { log, user, threadId } = scene;
    const run = { threadId, runId: scene.ids.runId(threadId) };
    await scene.say(user, 'busy');
    const writes = writesOf(scene);
    const key = (n: number) => ({ producer: { id: 'cmd', attempt: 1, n } });
    const results = await Promise.all([
      log.append(user, [scene.said('1')]),
      log.append(user, [scene.said('2')], key(1)),
      log.append(user, [scene.said('3')], key(2)),
      log.append(user, [runStarted(run)]),
      log.append(user, [thinking(run, 'x')]),
      log.append(user, [scene.said('6')]),
    ]);
    expect(results.map(({ firstSeq }) => firstSeq)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(writes).toHaveLength(3);
  });

  it('loses nobody but the one append that is refused', async () => {
    await using scene = await setScene({ maxEventBytes: 500 });
    const { log, user, other } = scene;
    await scene.say(user, 'busy');
    const outcomes = await Promise.all([
      log.append(user, [scene.said('2')]),
      log.append(user, [scene.said('3'), scene.said('x'.repeat(500))]).catch(codeOf),
      log.append(user, [scene.said('3')]),
      log.append(other, [renamed(scene.threadId, 1n as never)]).catch(codeOf),
      log.append(other, [scene.said('1')]),
    ]);
    expect(outcomes).toMatchObject([
      { firstSeq: 2 },
      'EVENT_TOO_LARGE',
      { firstSeq: 3 },
      'NOT_ENCODABLE',
      { firstSeq: 1 },
    ]);
    await scene.reopen();
    expect([await scene.heard(user), await scene.heard(other)]).toEqual([['busy', '2', '3'], ['1']]);
  });

  it('that fails takes its own appends with it, and not those of the next', async () => {
    await using scene = await setScene();
    const { log, user } = scene;
    await scene.say(user, 'busy');
    let failures = 1;
    scene.disk.onOperation = ({ kind }) => {
      if (kind === 'write' && failures-- > 0) throw diskError('EIO');
    };
    const key = (n: number) => ({ producer: { id: 'cmd', attempt: 1, n } });
    const outcomes = await Promise.all([
      log.append(user, [scene.said('2')], key(1)).catch(codeOf),
      log.append(user, [scene.said('2')], key(2)).catch(codeOf),
      log.append(user, [scene.said('2')]).catch(codeOf),
    ]);
    expect(outcomes).toMatchObject(['LOG_WRITE_FAILED', 'PRODUCER_GAP', { firstSeq: 2 }]);
  });
});

describe('with fsync always', () => {
  it('one group is in flight while the next collects, and nothing is shown before its sync', async () => {
    await using scene = await setScene({ fsync: 'always' });
    const { user } = scene;
    const writes = writesOf(scene);
    const held = holdSyncs(scene);
    const woken: number[] = [];
    scene.log.subscribe(user, (batch) => woken.push(...(batch?.events ?? []).map(({ seq }) => seq)));
    const appends = [scene.log.append(user, [scene.said('1')])];
    await scene.clock.settle();
    for (let n = 2; n <= 30; n += 1) appends.push(scene.log.append(user, [scene.said(`${n}`)]));
    await scene.clock.settle();
    expect([held.waiting, writes.length, woken]).toEqual([1, 0, []]);
    expect(await scene.log.stream(user)).toMatchObject({ head: 0 });
    expect(scene.log.stats().waiting).toBe(29);
    held.release();
    await Promise.all(appends);
    expect(writes).toHaveLength(2);
    expect(scene.log.stats()).toMatchObject({ waiting: 0, syncs: 2 });
    await scene.clock.settle();
    expect(woken).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  });

  it('so many may wait for a disk that hangs, and one more is refused; all others settle in order', async () => {
    await using scene = await setScene({ fsync: 'always', maxWaitingAppends: 10 });
    const { log, user, other } = scene;
    const held = holdSyncs(scene);
    const first = log.append(user, [scene.said('in flight')]);
    await scene.clock.settle();
    const waiting = Array.from({ length: 10 }, (_, index) => log.append(user, [scene.said(`${index}`)]));
    const refused = log.append(other, [scene.said('one too many')]);
    await expect(refused).rejects.toMatchObject({ code: 'LOG_WRITE_FAILED', details: { code: 'BACKLOG' } });
    await expect(log.trim(user, { before: 1 })).rejects.toMatchObject({ code: 'LOG_WRITE_FAILED' });
    held.release();
    const results = await Promise.all([first, ...waiting]);
    expect(results.map(({ firstSeq }) => firstSeq)).toEqual(
      Array.from({ length: 11 }, (_, index) => index + 1),
    );
    expect((await log.append(other, [scene.said('now')])).firstSeq).toBe(1);
  });

  it('closing waits for what is in flight and what waits behind it', async () => {
    const scene = await setScene({ fsync: 'always' });
    const held = holdSyncs(scene);
    const appends = [scene.log.append(scene.user, [scene.said('1')])];
    await scene.clock.settle();
    appends.push(scene.log.append(scene.user, [scene.said('2')]));
    let isClosed = false;
    const closing = scene.log.close().then(() => {
      isClosed = true;
    });
    await scene.clock.settle();
    expect(isClosed).toBe(false);
    expect(await scene.log.append(scene.user, [scene.said('3')]).catch(codeOf)).toBe('LOG_CLOSED');
    held.release();
    expect((await Promise.all(appends)).map(({ firstSeq }) => firstSeq)).toEqual([1, 2]);
    await closing;
    await scene.open();
    expect(await scene.heard(scene.user)).toEqual(['1', '2']);
    await scene.log.close();
  });
});

describe('with fsync interval', () => {
  it('what was written is synced once a second, once for all of it, and not without need', async () => {
    await using scene = await setScene({ maxSegmentBytes: 300 });
    await scene.say(scene.user, ...Array.from({ length: 3 }, () => 'x'.repeat(200)));
    await scene.clock.advance(999);
    expect(scene.log.stats().syncs).toBe(0);
    await scene.clock.advance(1);
    expect(scene.log.stats().syncs).toBe(3);
    await scene.clock.advance(10_000);
    expect(scene.log.stats().syncs).toBe(3);
    await scene.say(scene.user, '2');
    await scene.log.close();
    expect(scene.log.stats().syncs).toBe(4);
    await scene.open();
  });
});

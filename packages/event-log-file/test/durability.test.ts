import { describe, expect, it } from '@jest/globals';
import type { FsyncPolicy } from '../src/index.js';
import { Segments } from '../src/segments.js';
import { createMemoryDisk, diskError, type MemoryDisk, type PowerLoss } from '../src/testing/index.js';
import { codeOf, completed, runStarted } from './support/calls.js';
import { hold } from './support/held-disk.js';
import { recordsOn } from './support/layout.js';
import { type Scene, setScene } from './support/scene.js';

/** Goes on, on what a machine without power has left of a disk. */
async function losePower(scene: Scene, loss: PowerLoss = {}): Promise<void> {
  const left = scene.disk.afterCrash('power', loss);
  await scene.log.close();
  scene.disk = left;
  await scene.open();
}

/** The process dies; the next one goes on. */
async function die(scene: Scene): Promise<void> {
  const [left, log] = [scene.disk.afterCrash('process'), scene.log];
  scene.disk.onOperation = () => {
    throw diskError('DEAD');
  };
  scene.disk = left;
  await scene.open();
  await log.close();
}

describe('a state record that a compaction takes over', () => {
  it('is taken over although it is replaced meanwhile: the new one may be lost', async () => {
    await using scene = await setScene({ maxSegmentBytes: 1_000 });
    const { user, other } = scene;
    await scene.say(user, '1', '2');
    await scene.log.trim(user, { before: 3 });
    await scene.say(other, 'w'.repeat(500), 'y'.repeat(900));
    await scene.log.trim(other, { before: 2 });
    await scene.clock.advance(1_000);
    await scene.say(other, 'not synced yet');
    const held = hold(scene.disk);
    const compacting = scene.log.compact();
    await scene.clock.settle();
    expect(held.waiting).toBe(1);
    // The records to go were looked at, and are copied when this sync has ended.
    await scene.say(user, '3');
    await scene.log.trim(user, { before: 4 });
    const crashes: MemoryDisk[] = [];
    scene.disk.onOperation = () => void crashes.push(scene.disk.afterCrash('power'));
    held.release();
    await compacting;
    await scene.log.close();
    expect(crashes.length).toBeGreaterThan(3);
    for (const disk of crashes) {
      scene.disk = disk;
      await scene.open();
      expect((await scene.log.stream(user)).head).toBeGreaterThanOrEqual(2);
      await scene.log.close();
    }
  });

  it('is written again when a sync fails that somebody else has asked for', async () => {
    await using scene = await setScene({ maxSegmentBytes: 1_000, retention: { maxEvents: 1 } });
    const { user, other } = scene;
    await scene.say(user, 'x'.repeat(900), 'y'.repeat(900));
    await scene.clock.advance(1_000);
    await scene.say(other, 'not synced yet');
    const held = hold(scene.disk);
    await scene.clock.advance(1_000);
    expect(held.waiting).toBe(1);
    const compacting = scene.log.compact().catch(codeOf);
    await scene.clock.settle();
    scene.disk.onOperation = ({ kind }) => {
      scene.disk.onOperation = undefined;
      if (kind === 'sync') throw diskError('EIO');
    };
    held.release();
    expect(await compacting).toBe('LOG_WRITE_FAILED');
    await scene.log.compact();
    await losePower(scene);
    expect(await scene.log.stream(user)).toMatchObject({ first: 2, head: 2 });
  });

  it.each<FsyncPolicy>(['interval', 'never'])(
    'is not relied upon where an earlier process may not have synced it: fsync %s',
    async (fsync) => {
      await using scene = await setScene({ fsync, maxSegmentBytes: 1_000 });
      const { user, other } = scene;
      await scene.say(user, 'x'.repeat(900));
      // As the system does by itself, sooner or later.
      for (const name of scene.disk.list()) scene.disk.setContents(name, scene.disk.contents(name));
      await scene.log.trim(user, { before: 2 });
      await scene.say(other, 'a'.repeat(900), 'b'.repeat(900));
      await die(scene);
      await scene.log.compact();
      expect(recordsOn(scene.disk).filter((record) => record.user === user && !record.isState)).toEqual([]);
      await losePower(scene);
      expect(await scene.log.stream(user)).toMatchObject({ first: 2, head: 1 });
    },
  );

  it('is written again when it stands before a group whose sync failed: fsync always', async () => {
    await using scene = await setScene({ fsync: 'always', maxSegmentBytes: 1_000 });
    const { user, other } = scene;
    await scene.say(user, 'x'.repeat(900));
    await scene.log.trim(user, { before: 2 });
    scene.disk.onOperation = ({ kind }) => {
      if (kind === 'sync') throw diskError('EIO');
    };
    expect(await scene.log.append(other, [scene.said('lost')]).catch(codeOf)).toBe('LOG_WRITE_FAILED');
    scene.disk.onOperation = undefined;
    const [before] = recordsOn(scene.disk).filter(({ isState }) => isState);
    await scene.log.compact();
    const states = recordsOn(scene.disk).filter(({ isState }) => isState);
    expect(states.at(-1)?.file).not.toBe(before?.file);
    await scene.reopen();
    expect(await scene.log.stream(user)).toMatchObject({ first: 2, head: 1 });
  });
});

describe('the folder', () => {
  it('is synced for whoever asks, also while a sync for somebody else is under way', async () => {
    const disk = createMemoryDisk();
    const segments = new Segments(disk, 'epoch');
    segments.begin();
    const held = hold(disk);
    const settled: string[] = [];
    const first = segments.syncFolder().then(() => settled.push('first'));
    const second = segments.syncFolder().then(() => settled.push('second'));
    await new Promise((resolve) => void setImmediate(resolve));
    expect(settled).toEqual([]);
    held.release();
    await Promise.all([first, second]);
    expect(disk.afterCrash('power', { keepsFolder: false }).list()).toEqual(['0000000001.log']);
  });

  it('is synced again by the next who asks when it failed for the first', async () => {
    const disk = createMemoryDisk();
    const segments = new Segments(disk, 'epoch');
    segments.begin();
    disk.onOperation = ({ kind }) => {
      disk.onOperation = undefined;
      if (kind === 'syncDirectory') throw diskError('EIO');
    };
    const outcomes = await Promise.allSettled([segments.syncFolder(), segments.syncFolder()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(disk.afterCrash('power', { keepsFolder: false }).list()).toEqual(['0000000001.log']);
  });
});

describe('an erasure', () => {
  it('that has settled is not taken back by a power loss, nor is what came before it: fsync interval', async () => {
    await using scene = await setScene({ maxSegmentBytes: 600 });
    const { user, other, threadId } = scene;
    const run = { threadId, runId: scene.ids.runId(threadId) };
    await scene.say(other, 'x'.repeat(300));
    await scene.log.append(user, [scene.said('secret'), runStarted(run)]);
    await scene.say(other, 'y'.repeat(300));
    expect(await scene.log.erase(user, { threadId })).toBe(2);
    await losePower(scene, { keepsFolder: false });
    expect(await scene.heard(user)).toEqual(['erased', 'erased']);
    expect(await scene.heard(other)).toHaveLength(2);
    expect(await scene.log.openRuns(user)).toEqual([]);
    expect(await scene.log.append(user, [completed(run)]).catch(codeOf)).toBe('RUN_ENDED');
  });

  it.each<[FsyncPolicy, number]>([
    ['never', 0],
    ['interval', 1],
    ['always', 1],
  ])(
    'costs one sync for all of a turn, and none where nobody asks for any: fsync %s',
    async (fsync, syncs) => {
      await using scene = await setScene({ fsync });
      const { user, other, log } = scene;
      await Promise.all([scene.say(user, 'secret'), scene.say(other, 'secret')]);
      const before = log.stats().syncs;
      const erasures = [user, other].map((each) => log.erase(each, { threadId: scene.threadId }));
      expect(await Promise.all(erasures)).toEqual([1, 1]);
      expect(log.stats().syncs - before).toBeLessThanOrEqual(fsync === 'interval' ? 2 * syncs : syncs);
      expect(log.stats().syncs - before).toBeGreaterThanOrEqual(syncs);
    },
  );

  it('is refused when its sync fails, holds for readers all the same, and is made durable when it is repeated', async () => {
    await using scene = await setScene();
    const { user, threadId } = scene;
    await scene.say(user, 'secret');
    await scene.clock.advance(1_000);
    scene.disk.onOperation = ({ kind }) => {
      if (kind === 'sync') throw diskError('EIO');
    };
    await expect(scene.log.erase(user, { threadId })).rejects.toMatchObject({
      code: 'LOG_WRITE_FAILED',
      details: { code: 'EIO' },
    });
    expect(await scene.heard(user)).toEqual(['erased']);
    expect(await scene.log.erase(user, { threadId }).catch(codeOf)).toBe('LOG_WRITE_FAILED');
    scene.disk.onOperation = undefined;
    expect(await scene.log.erase(user, { threadId })).toBe(0);
    await losePower(scene);
    expect(await scene.heard(user)).toEqual(['erased']);
  });

  it('is refused when a sync fails that was under way before it', async () => {
    await using scene = await setScene();
    const { user, threadId } = scene;
    await scene.say(user, 'secret');
    const held = hold(scene.disk);
    await scene.clock.advance(1_000);
    expect(held.waiting).toBe(1);
    const erasing = scene.log.erase(user, { threadId }).catch(codeOf);
    await scene.clock.settle();
    scene.disk.onOperation = ({ kind }) => {
      scene.disk.onOperation = undefined;
      if (kind === 'sync') throw diskError('EIO');
    };
    held.release();
    expect(await erasing).toBe('LOG_WRITE_FAILED');
  });

  it('settles when the log is closed while it is being synced', async () => {
    await using scene = await setScene();
    const { user, threadId } = scene;
    await scene.say(user, 'secret');
    const held = hold(scene.disk);
    const erasing = scene.log.erase(user, { threadId });
    await scene.clock.settle();
    const closing = scene.log.close();
    await scene.clock.settle();
    held.release();
    expect(await erasing).toBe(1);
    await closing;
    scene.disk = scene.disk.afterCrash('power');
    await scene.open();
    expect(await scene.heard(user)).toEqual(['erased']);
  });
});

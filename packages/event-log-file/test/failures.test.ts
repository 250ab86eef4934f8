import { describe, expect, it } from '@jest/globals';
import type { FsyncPolicy } from '../src/index.js';
import { type DiskOperation, diskError } from '../src/testing/index.js';
import { codeOf, completed, runStarted, thinking } from './support/calls.js';
import { usedBytes } from './support/dying-disk.js';
import { overwrite, recordsOn, segmentsOn } from './support/layout.js';
import { type Scene, setScene } from './support/scene.js';

const POLICIES: readonly FsyncPolicy[] = ['never', 'interval', 'always'];

/** Makes operations of these kinds fail from now on; returns what ends that. */
function failing(scene: Scene, kinds: readonly DiskOperation['kind'][], code = 'EIO'): () => void {
  scene.disk.onOperation = ({ kind }) => {
    if (kinds.includes(kind)) throw diskError(code);
  };
  return () => {
    scene.disk.onOperation = undefined;
  };
}

async function refusal(refused: Promise<unknown>): Promise<string> {
  return await refused.then(() => 'not refused', codeOf);
}

describe.each(POLICIES)('a disk that does not take an append, fsync %s', (fsync) => {
  it('that is full fails that append alone, which leaves no trace, and takes the next when there is room', async () => {
    await using scene = await setScene({ fsync });
    const { user, other } = scene;
    const producer = { id: 'cmd:1', attempt: 1, n: 1 };
    await scene.say(user, '1');
    const before = usedBytes(scene.disk);
    scene.disk.capacityBytes = before + 50;
    expect(await refusal(scene.log.append(user, [scene.said('2')], { producer }))).toBe('LOG_WRITE_FAILED');
    expect(await refusal(scene.log.append(other, [scene.said('a')]))).toBe('LOG_WRITE_FAILED');
    expect(usedBytes(scene.disk)).toBe(before);
    expect(scene.log.stats()).toMatchObject({ failing: 'ENOSPC', failedWrites: 2 });
    expect(await scene.heard(user)).toEqual(['1']);
    scene.disk.capacityBytes = Number.POSITIVE_INFINITY;
    const result = await scene.log.append(user, [scene.said('2')], { producer });
    expect(result).toMatchObject({ firstSeq: 2, duplicate: false });
    expect(scene.log.stats().failing).toBeUndefined();
    await scene.reopen();
    expect(await scene.heard(user)).toEqual(['1', '2']);
    expect(scene.log.stats()).toMatchObject({ damage: [], tornBytes: 0 });
  });

  it.each<DiskOperation['kind'][]>([
    ['write'],
    ['write', 'truncate'],
    ['create'],
    ['write', 'remove', 'create'],
  ])('is served on while %s %s %s fail, and goes on after that as if nothing had been', async (...kinds) => {
    await using scene = await setScene({ fsync, maxSegmentBytes: 400 });
    const { user, threadId } = scene;
    const run = { threadId, runId: scene.ids.runId(threadId) };
    const key = (n: number) => ({ producer: { id: run.runId, attempt: 1, n } });
    await scene.log.append(user, [runStarted(run), thinking(run, 'x'.repeat(200))], key(1));
    const heal = failing(scene, kinds);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      expect(await refusal(scene.log.append(user, [completed(run)], key(2)))).toBe('LOG_WRITE_FAILED');
      expect(await scene.heard(user)).toEqual(['agent_started', 'agent_thinking']);
      expect(await scene.log.openRuns(user)).toMatchObject([{ runId: run.runId }]);
    }
    heal();
    expect(await scene.log.append(user, [completed(run)], key(2))).toMatchObject({ firstSeq: 3 });
    await scene.reopen();
    expect(await scene.heard(user)).toHaveLength(3);
    expect(await scene.log.openRuns(user)).toEqual([]);
    expect(scene.log.stats().damage).toEqual([]);
    expect(segmentsOn(scene.disk).length).toBeLessThanOrEqual(3);
  });

  it('refuses an erasure and a trim, of which nothing happens', async () => {
    await using scene = await setScene({ fsync });
    const { user, threadId } = scene;
    await scene.say(user, '1', '2');
    const heal = failing(scene, ['write']);
    expect(await refusal(scene.log.erase(user, { threadId }))).toBe('LOG_WRITE_FAILED');
    expect(await refusal(scene.log.trim(user, { before: 2 }))).toBe('LOG_WRITE_FAILED');
    expect(await scene.heard(user)).toEqual(['1', '2']);
    heal();
    expect(await scene.log.erase(user, { threadId })).toBe(2);
    await scene.log.trim(user, { before: 2 });
    expect(await scene.heard(user)).toEqual(['erased']);
  });

  it('that cannot even cut off what it took of an append never shows it', async () => {
    await using scene = await setScene({ fsync });
    const { user } = scene;
    await scene.say(user, '1');
    scene.disk.capacityBytes = usedBytes(scene.disk) + 100;
    const heal = failing(scene, ['truncate']);
    expect(await refusal(scene.log.append(user, [scene.said('lost')]))).toBe('LOG_WRITE_FAILED');
    scene.disk.capacityBytes = Number.POSITIVE_INFINITY;
    await scene.say(user, '2');
    await scene.reopen();
    expect(await scene.heard(user)).toEqual(['1', '2']);
    heal();
    await scene.reopen();
    expect(await scene.heard(user)).toEqual(['1', '2']);
    expect(scene.log.stats().damage).toEqual([]);
  });

  it('is not given back what it could not cut off when the segment behind it goes', async () => {
    await using scene = await setScene({ fsync, maxSegmentBytes: 500 });
    const { user, other } = scene;
    await scene.say(user, '1');
    let written = 0;
    scene.disk.onOperation = ({ kind }) => {
      if (kind === 'write') written += 1;
      // The whole of it is there; only its sync, or the next write, fails.
      const fails = fsync === 'always' ? kind === 'sync' : kind === 'write' && written > 1;
      if (fails || kind === 'truncate') throw diskError('EIO');
    };
    if (fsync === 'always') {
      expect(await refusal(scene.log.append(user, [scene.said('lost')]))).toBe('LOG_WRITE_FAILED');
    }
    scene.disk.onOperation = undefined;
    await scene.say(other, 'a'.repeat(200), 'b'.repeat(400));
    await scene.log.trim(other, { before: 3 });
    await scene.log.compact();
    await scene.say(user, '2');
    await scene.reopen();
    expect(await scene.heard(user)).toEqual(['1', '2']);
    expect(scene.log.stats().damage).toEqual([]);
  });
});

describe('a sync that fails', () => {
  it('rejects the group that waits for it, seals the segment, and heals with the next: fsync always', async () => {
    await using scene = await setScene({ fsync: 'always' });
    const { user } = scene;
    await scene.say(user, '1');
    const heal = failing(scene, ['sync']);
    for (let attempt = 0; attempt < 4; attempt += 1) {
      expect(await refusal(scene.log.append(user, [scene.said('2')]))).toBe('LOG_WRITE_FAILED');
    }
    expect(scene.log.stats()).toMatchObject({ failing: 'EIO', failedSyncs: 4, failedWrites: 0, segments: 2 });
    heal();
    await scene.say(user, '2');
    expect(scene.log.stats()).toMatchObject({ failing: undefined, segments: 2 });
    await scene.reopen();
    expect(await scene.heard(user)).toEqual(['1', '2']);
  });

  it('is counted and logged once, and nothing more goes to that segment: fsync interval', async () => {
    await using scene = await setScene();
    const { user } = scene;
    await scene.say(user, '1');
    const heal = failing(scene, ['sync']);
    await scene.clock.advance(1_000);
    expect(scene.log.stats()).toMatchObject({ failing: 'EIO', failedSyncs: 1, failedWrites: 0 });
    await scene.say(user, '2');
    expect(scene.log.stats()).toMatchObject({ failing: 'EIO', segments: 2 });
    heal();
    await scene.clock.advance(1_000);
    expect(scene.log.stats()).toMatchObject({ failing: undefined, syncs: 1 });
    expect(scene.logged('error')).toEqual([
      'The disk did not sync; what was written may not survive a power loss.',
    ]);
    await scene.reopen();
    expect(await scene.heard(user)).toEqual(['1', '2']);
  });

  it('of the folder is a failed sync too', async () => {
    await using scene = await setScene({ fsync: 'always', maxSegmentBytes: 300 });
    await scene.say(scene.user, '1'.repeat(200));
    const heal = failing(scene, ['syncDirectory']);
    expect(await refusal(scene.log.append(scene.user, [scene.said('2'.repeat(200))]))).toBe(
      'LOG_WRITE_FAILED',
    );
    heal();
    await scene.say(scene.user, '2');
    expect(await scene.heard(scene.user)).toHaveLength(2);
  });

  it('stops a compaction before anything is removed', async () => {
    await using scene = await setScene({ maxSegmentBytes: 300 });
    const { user } = scene;
    await scene.say(user, '1'.repeat(200), '2'.repeat(200), '3'.repeat(200));
    await scene.log.trim(user, { before: 4 });
    const before = segmentsOn(scene.disk);
    const heal = failing(scene, ['sync']);
    expect(await refusal(scene.log.compact())).toBe('LOG_WRITE_FAILED');
    expect(before.filter((file) => !segmentsOn(scene.disk).includes(file))).toEqual([]);
    heal();
    await scene.log.compact();
    expect(segmentsOn(scene.disk).length).toBeLessThan(before.length);
    await scene.reopen();
    expect(await scene.log.stream(user)).toMatchObject({ first: 4, head: 3 });
  });
});

describe('a read that fails', () => {
  it('is LOG_READ_FAILED, whatever was asked, and succeeds later', async () => {
    await using scene = await setScene({ retention: { maxEvents: 3 } });
    const { user, threadId } = scene;
    const run = { threadId, runId: scene.ids.runId(threadId) };
    const { epoch } = await scene.log.append(user, [runStarted(run), thinking(run, 'x')]);
    await scene.say(user, '1', '2');
    const heal = failing(scene, ['read']);
    const after = { epoch, seq: 2 };
    expect(await refusal(scene.log.read(user, { after, limitEvents: 9, limitBytes: 999 }))).toBe(
      'LOG_READ_FAILED',
    );
    expect(await refusal(scene.log.stream(user))).toBe('LOG_READ_FAILED');
    expect(await refusal(scene.log.openRuns(user))).toBe('LOG_READ_FAILED');
    expect(await refusal(scene.log.erase(user, { threadId }))).toBe('LOG_READ_FAILED');
    await scene.say(scene.other, 'appends go on');
    heal();
    expect(await scene.heard(user)).toEqual(['agent_thinking', '1', '2']);
    expect(scene.log.stats().damage).toEqual([]);
  });

  it('does not keep a user who is at its limit from appending', async () => {
    await using scene = await setScene({ retention: { maxBytes: 600 } });
    const { user } = scene;
    await scene.log.append(user, [scene.said('1'.repeat(80)), scene.said('2'.repeat(80))]);
    const heal = failing(scene, ['read']);
    await scene.say(user, '3', '4'.repeat(100));
    heal();
    await scene.say(user, '5');
    expect((await scene.heard(user)).at(-1)).toBe('5');
    expect(scene.log.stats().liveBytes).toBeLessThanOrEqual(600);
  });

  it('keeps a log from being opened, and says why', async () => {
    await using scene = await setScene();
    await scene.say(scene.user, '1');
    await scene.log.close();
    const heal = failing(scene, ['read']);
    await expect(scene.open()).rejects.toMatchObject({
      code: 'LOG_FOLDER_UNUSABLE',
      message:
        'The event log cannot use memory, which does not do what it should (EIO): look at what the system says of it.',
    });
    heal();
    await scene.open();
    expect(await scene.heard(scene.user)).toEqual(['1']);
  });
});

describe('a full disk at the start', () => {
  it('lets a log be opened and read that is there', async () => {
    await using scene = await setScene();
    await scene.say(scene.user, '1');
    await scene.log.close();
    scene.disk.capacityBytes = 0;
    await scene.open();
    expect(await scene.heard(scene.user)).toEqual(['1']);
    expect(await refusal(scene.log.append(scene.user, [scene.said('2')]))).toBe('LOG_WRITE_FAILED');
  });

  it('also one whose newest header is damaged', async () => {
    await using scene = await setScene();
    await scene.say(scene.user, '1');
    await scene.log.close();
    const [record] = recordsOn(scene.disk);
    overwrite(scene.disk, record?.file ?? '', 12, Uint8Array.of(9));
    scene.disk.capacityBytes = 0;
    await scene.open();
    expect(await scene.heard(scene.user)).toEqual(['1']);
    scene.disk.capacityBytes = Number.POSITIVE_INFINITY;
    await scene.say(scene.user, '2');
    await scene.reopen();
    expect(await scene.heard(scene.user)).toEqual(['1', '2']);
  });

  it('does not let a log be begun, and says what to do', async () => {
    const scene = await setScene();
    await scene.log.close();
    for (const file of segmentsOn(scene.disk)) scene.disk.remove(file);
    scene.disk.capacityBytes = 10;
    await expect(scene.open()).rejects.toMatchObject({
      code: 'LOG_FOLDER_UNUSABLE',
      message:
        'The event log cannot use memory, which is on a disk that is full (ENOSPC): make room, or choose another path.',
    });
    expect(scene.disk.list()).toEqual([]);
  });
});

describe('a slow disk', () => {
  it('is counted with every operation that is above the limit, and logged every ten seconds', async () => {
    await using scene = await setScene({ slowDiskMs: 500 });
    let tookMs = 500;
    scene.disk.onOperation = ({ kind }) => {
      // Time passes inside the operation, and no timer fires.
      if (kind === 'write') scene.clock.pass(tookMs);
    };
    await scene.say(scene.user, '1');
    expect(scene.log.stats()).toMatchObject({ slowDisk: 0, longestDiskMs: 500 });
    tookMs = 501;
    for (let write = 0; write < 21; write += 1) await scene.say(scene.user, '2');
    expect(scene.log.stats()).toMatchObject({ slowDisk: 21, longestDiskMs: 501 });
    expect(scene.logged('warn')).toEqual(['The disk is slow.', 'The disk is slow.']);
  });

  it('that flaps between failing and working is logged every ten seconds', async () => {
    await using scene = await setScene();
    for (let round = 0; round < 20; round += 1) {
      const heal = failing(scene, ['write']);
      expect(await refusal(scene.log.append(scene.user, [scene.said('x')]))).toBe('LOG_WRITE_FAILED');
      heal();
      await scene.say(scene.user, 'y');
    }
    expect(scene.logged('error')).toHaveLength(1);
    expect(scene.logger.lines.filter(({ message }) => message === 'The disk works again.')).toHaveLength(1);
    await scene.clock.advance(10_000);
    const heal = failing(scene, ['write']);
    expect(await refusal(scene.log.append(scene.user, [scene.said('x')]))).toBe('LOG_WRITE_FAILED');
    heal();
    expect(scene.logged('error')).toHaveLength(2);
  });
});

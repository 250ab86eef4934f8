import { describe, expect, it } from '@jest/globals';
import { diskError } from '../src/testing/index.js';
import { codeOf, completed, runStarted, thinking } from './support/calls.js';
import { usedBytes } from './support/dying-disk.js';
import { recordsOn, segmentsOn } from './support/layout.js';
import { type Scene, setScene } from './support/scene.js';

const SMALL = { maxSegmentBytes: 1_000 };
const HOUR_MS = 60 * 60_000;

function isOnDisk(scene: Scene, text: string): boolean {
  return scene.disk.list().some((name) => Buffer.from(scene.disk.contents(name)).includes(text));
}

describe('space', () => {
  it('of records that nobody can read is freed by itself a minute later, not before', async () => {
    await using scene = await setScene(SMALL);
    const { user } = scene;
    await scene.say(user, ...Array.from({ length: 20 }, (_, index) => `${index}`.padEnd(200)));
    await scene.clock.advance(60_000);
    await scene.log.trim(user, { before: 18 });
    const before = scene.log.stats().segments;
    await scene.clock.advance(59_999);
    expect(scene.log.stats().segments).toBe(before);
    await scene.clock.advance(1);
    await scene.clock.settle();
    const { segments, diskBytes, liveBytes } = scene.log.stats();
    expect(segments).toBeLessThanOrEqual(3);
    expect(diskBytes).toBe(usedBytes(scene.disk));
    expect(diskBytes).toBeLessThan(2 * liveBytes + 1_000);
    expect(await scene.heard(user)).toHaveLength(3);
  });

  it('is freed only where less than half is live', async () => {
    await using scene = await setScene(SMALL);
    const { user, other } = scene;
    await scene.say(user, '1'.padEnd(200));
    await scene.say(other, 'a'.padEnd(300));
    await scene.say(user, '2'.padEnd(900));
    const before = scene.disk.contents('0000000001.log');
    await scene.log.trim(user, { before: 2 });
    await scene.log.compact();
    expect(scene.disk.contents('0000000001.log')).toEqual(before);
    await scene.log.trim(other, { before: 2 });
    await scene.log.compact();
    expect(segmentsOn(scene.disk)).not.toContain('0000000001.log');
  });

  it('is bounded when a few records live on in many segments: neighbours are merged', async () => {
    await using scene = await setScene({ maxSegmentBytes: 4_000 });
    const { user } = scene;
    const quiet = Array.from({ length: 40 }, () => scene.ids.userId());
    for (const each of quiet) {
      await scene.say(each, 'I stay');
      await scene.say(user, 'x'.repeat(3_500));
    }
    await scene.log.trim(user, { before: 41 });
    expect(scene.log.stats().segments).toBeGreaterThan(35);
    await scene.log.compact();
    const { segments } = scene.log.stats();
    expect(segments).toBeLessThan(20);
    await scene.reopen();
    expect(scene.log.stats()).toMatchObject({ segments, damage: [] });
    for (const each of quiet) expect(await scene.heard(each)).toEqual(['I stay']);
    expect(await scene.log.stream(user)).toMatchObject({ first: 41, head: 40 });
  });

  it('is not looked at again when there is nothing more to do', async () => {
    await using scene = await setScene(SMALL);
    await scene.say(scene.user, '1');
    await scene.clock.advance(HOUR_MS);
    let operations = 0;
    scene.disk.onOperation = () => {
      operations += 1;
    };
    await scene.log.compact();
    await scene.clock.advance(HOUR_MS);
    expect(operations).toBe(0);
  });
});

describe('what must be known of records that go', () => {
  it('[BR-7] is still known: position and id, producers, runs that ended and runs that did not', async () => {
    await using scene = await setScene(SMALL);
    const { user, threadId } = scene;
    const [ended, open] = [scene.ids.runId(threadId), scene.ids.runId(threadId)];
    const key = (id: string, n: number) => ({ producer: { id, attempt: 1, n } });
    const first = await scene.log.append(user, [runStarted({ threadId, runId: ended })], key(ended, 1));
    await scene.log.append(user, [completed({ threadId, runId: ended })], key(ended, 2));
    await scene.log.append(user, [runStarted({ threadId, runId: open })], key(open, 1));
    await scene.say(user, 'x'.repeat(900), 'y'.repeat(900));
    const stream = await scene.log.stream(user);
    await scene.log.trim(user, { before: 6 });
    for (let round = 0; round < 4; round += 1) {
      await scene.say(scene.other, 'z'.repeat(900));
      await scene.log.trim(scene.other, { before: 99 });
      await scene.log.compact();
      await scene.reopen();
    }
    expect(recordsOn(scene.disk).filter((record) => !record.isState)).toEqual([]);
    expect(await scene.log.stream(user)).toEqual({ ...stream, first: 6 });
    const again = await scene.log.append(user, [thinking({ threadId, runId: open }, 'x')], key(open, 2));
    expect(again).toMatchObject({ firstSeq: 6, duplicate: false });
    expect(await scene.log.openRuns(user)).toMatchObject([{ runId: open, firstSeq: 6 }]);
    const late = scene.log.append(user, [thinking({ threadId, runId: ended }, 'x')]);
    expect(await late.catch(codeOf)).toBe('RUN_ENDED');
    const repeated = await scene.log.append(user, [completed({ threadId, runId: ended })], key(ended, 2));
    expect(repeated).toMatchObject({ firstSeq: 2, duplicate: true });
    expect(first.epoch).toBe(again.epoch);
  });

  it('is written and synced before they go, and the folder after', async () => {
    await using scene = await setScene({ ...SMALL, fsync: 'never' });
    const { user } = scene;
    await scene.say(user, 'x'.repeat(900), 'y'.repeat(900));
    await scene.log.trim(user, { before: 3 });
    const done: string[] = [];
    scene.disk.onOperation = ({ kind, file }) => {
      if (kind !== 'read') done.push(`${kind} ${file}`);
    };
    await scene.log.compact();
    const stated = done.indexOf('write 0000000003.log');
    const synced = done.indexOf('sync 0000000003.log');
    const folder = done.indexOf('syncDirectory ');
    const removed = done.indexOf('remove 0000000001.log');
    expect([stated >= -1, synced >= 0, folder > synced, removed > folder]).toEqual([true, true, true, true]);
    expect(done.lastIndexOf('syncDirectory ')).toBeGreaterThan(removed);
    scene.disk.onOperation = undefined;
    const lost = scene.disk.afterCrash('power', { keepsFolder: true });
    await scene.log.close();
    scene.disk = lost;
    await scene.open();
    expect(await scene.log.stream(user)).toMatchObject({ first: 3, head: 2 });
  });

  it('is written again when more has gone since it was written', async () => {
    await using scene = await setScene({ ...SMALL, retention: { maxAgeMs: HOUR_MS } });
    const { user, other } = scene;
    await scene.say(user, '1', '2', '3');
    await scene.log.trim(user, { before: 2 });
    await scene.say(user, '4', 'x'.repeat(900));
    await scene.clock.advance(HOUR_MS + 1);
    await scene.log.stream(user);
    await scene.say(other, 'y'.repeat(900));
    await scene.log.compact();
    await scene.reopen();
    expect(recordsOn(scene.disk).filter((record) => record.user === user && !record.isState)).toEqual([]);
    expect(await scene.log.stream(user)).toMatchObject({ first: 6, head: 5 });
  });

  it('is written again when the segment in which it stands could not be synced', async () => {
    await using scene = await setScene({ maxSegmentBytes: 1_000 });
    const { user } = scene;
    await scene.say(user, 'x'.repeat(900));
    await scene.clock.advance(1_000);
    await scene.log.trim(user, { before: 2 });
    scene.disk.onOperation = ({ kind }) => {
      if (kind === 'sync') throw diskError('EIO');
    };
    await scene.clock.advance(1_000);
    scene.disk.onOperation = undefined;
    await scene.log.compact();
    expect(segmentsOn(scene.disk)).not.toContain('0000000001.log');
    const lost = scene.disk.afterCrash('power');
    await scene.log.close();
    scene.disk = lost;
    await scene.open();
    expect(await scene.log.stream(user)).toMatchObject({ first: 2, head: 1 });
  });

  it('does not grow the disk when it is carried on and on', async () => {
    await using scene = await setScene(SMALL);
    const users = Array.from({ length: 30 }, () => scene.ids.userId());
    for (const user of users) await scene.say(user, '1');
    for (const user of users) await scene.log.trim(user, { before: 2 });
    await scene.log.compact();
    const settled = scene.log.stats();
    for (let round = 0; round < 5; round += 1) {
      await scene.log.compact();
      await scene.reopen();
    }
    expect(scene.log.stats()).toMatchObject({ diskBytes: settled.diskBytes, segments: settled.segments });
  });
});

describe('erased events', () => {
  it('leave the disk by themselves within an hour, also those in the newest segment', async () => {
    await using scene = await setScene();
    await scene.say(scene.user, 'secret');
    await scene.log.erase(scene.user, { threadId: scene.threadId });
    expect(isOnDisk(scene, 'secret')).toBe(true);
    await scene.clock.advance(HOUR_MS);
    await scene.clock.settle();
    expect(isOnDisk(scene, 'secret')).toBe(false);
    expect(await scene.heard(scene.user)).toEqual(['erased']);
  });

  it('leave it also when they could not be read any more, or stand in one record with others', async () => {
    await using scene = await setScene();
    const { user, other, threadId } = scene;
    const kept = scene.ids.threadId();
    await scene.say(user, 'secret 1');
    await scene.log.append(user, [scene.said('secret 2'), scene.said('public', kept)]);
    await scene.say(other, 'x'.repeat(2_000));
    await scene.log.trim(user, { before: 3 });
    expect(await scene.log.erase(user, { threadId })).toBe(0);
    await scene.log.compact();
    expect([isOnDisk(scene, 'secret'), isOnDisk(scene, 'public')]).toEqual([false, true]);
    await scene.reopen();
    expect(await scene.heard(user)).toEqual(['public']);
  });

  it('leave it also from a segment with damage, in which they may stand unseen', async () => {
    await using scene = await setScene({ maxSegmentBytes: 600 });
    const { user, other, threadId } = scene;
    await scene.say(user, 'secret');
    await scene.say(other, 'public', 'x'.repeat(300));
    await scene.log.close();
    const contents = scene.disk.contents('0000000001.log');
    contents[recordsOn(scene.disk)[0]?.offset ?? 0] = 0;
    scene.disk.setContents('0000000001.log', contents);
    await scene.open();
    await scene.say(user, 'new');
    await scene.log.erase(user, { threadId });
    await scene.log.compact();
    expect([isOnDisk(scene, 'secret'), isOnDisk(scene, 'public')]).toEqual([false, true]);
  });

  it('are not remembered once they are gone, so that the next start has nothing to do', async () => {
    await using scene = await setScene();
    await scene.say(scene.user, 'secret');
    await scene.log.erase(scene.user, { threadId: scene.threadId });
    await scene.log.compact();
    await scene.log.compact();
    await scene.reopen();
    let writes = 0;
    scene.disk.onOperation = ({ kind }) => {
      if (kind === 'write') writes += 1;
    };
    await scene.clock.advance(HOUR_MS);
    expect(writes).toBe(0);
  });

  it('leave the disk after a restart that came first', async () => {
    await using scene = await setScene({ maxSegmentBytes: 300 });
    await scene.say(scene.user, 'secret 1', 'x'.repeat(200), 'secret 2');
    await scene.log.erase(scene.user, { threadId: scene.threadId });
    await scene.reopen();
    expect(await scene.heard(scene.user)).toEqual(['erased', 'erased', 'erased']);
    await scene.clock.advance(HOUR_MS);
    await scene.clock.settle();
    expect(isOnDisk(scene, 'secret')).toBe(false);
  });

  it('of the same turn as others are all counted, each once', async () => {
    await using scene = await setScene();
    const { user, threadId, log } = scene;
    const results = await Promise.all([
      log.append(user, [scene.said('1'), scene.said('2')]),
      log.erase(user, { threadId }),
      log.erase(user, { threadId }),
      log.append(user, [scene.said('3')]),
      log.erase(user, { threadId }),
    ]);
    expect([results[1], results[2], results[4]]).toEqual([2, 0, 1]);
    expect(await scene.heard(user)).toEqual(['erased', 'erased', 'erased']);
  });

  it('do not bring a new segment with every pass: at most two an hour', async () => {
    await using scene = await setScene();
    for (let minute = 0; minute < 120; minute += 1) {
      const threadId = scene.ids.threadId();
      await scene.log.append(scene.user, [scene.said('secret', threadId)]);
      await scene.log.erase(scene.user, { threadId });
      await scene.clock.advance(60_000);
    }
    expect(Number.parseInt(segmentsOn(scene.disk).at(-1) ?? '', 10)).toBeLessThanOrEqual(5);
    expect(scene.log.stats().segments).toBeLessThanOrEqual(2);
  });
});

describe('a compaction meanwhile', () => {
  it('takes nothing from appends that are being synced to the segment that it takes over', async () => {
    await using scene = await setScene({ fsync: 'always' });
    const { log, user, other } = scene;
    await scene.say(user, 'secret');
    await log.erase(user, { threadId: scene.threadId });
    let held: (() => void)[] = [];
    scene.disk.delay = () => new Promise((resolve) => held.push(resolve));
    const appends = [log.append(other, [scene.said('in flight')])];
    await scene.clock.settle();
    appends.push(log.append(other, [scene.said('waiting')]));
    const compacting = log.compact();
    await scene.clock.settle();
    scene.disk.delay = undefined;
    for (const release of held) release();
    held = [];
    await Promise.all([...appends, compacting]);
    expect(isOnDisk(scene, 'secret')).toBe(false);
    await scene.reopen();
    expect(await scene.heard(other)).toEqual(['in flight', 'waiting']);
    expect(scene.log.stats()).toMatchObject({ damage: [], tornBytes: 0 });
  });

  it('forgets no erasure that comes while two segments are being merged', async () => {
    await using scene = await setScene({ maxSegmentBytes: 700 });
    const { user, other } = scene;
    await scene.say(user, 'secret 1'.padEnd(300));
    await scene.say(other, 'secret 2'.padEnd(300), 'secret 3'.padEnd(300), 'x');
    await scene.log.close();
    await scene.open({ maxSegmentBytes: 10_000 });
    let release = (): void => undefined;
    scene.disk.delay = () => new Promise((resolve) => (release = resolve));
    const compacting = scene.log.compact();
    while (!scene.disk.list().some((name) => name.endsWith('.tmp'))) {
      release();
      await scene.clock.settle();
    }
    // What follows is not held back, the compaction still is.
    scene.disk.delay = undefined;
    expect(await scene.log.erase(other, { threadId: scene.threadId })).toBe(3);
    release();
    await compacting;
    expect(scene.log.stats().segments).toBeLessThan(4);
    await scene.log.compact();
    expect([isOnDisk(scene, 'secret 1'), isOnDisk(scene, 'secret 2')]).toEqual([true, false]);
  });

  it('makes the merged file durable before those go that are in it', async () => {
    await using scene = await setScene({ maxSegmentBytes: 300 });
    await scene.say(scene.user, '1'.padEnd(200), '2'.padEnd(200), '3');
    await scene.reopen({ maxSegmentBytes: 10_000 });
    const done: string[] = [];
    scene.disk.onOperation = ({ kind, file }) => {
      if (['rename', 'remove', 'syncDirectory'].includes(kind)) done.push(`${kind} ${file}`);
    };
    await scene.log.compact();
    expect(done).toEqual(['rename 0000000001.tmp', 'syncDirectory ', 'remove 0000000002.log']);
    scene.disk.onOperation = undefined;
    await scene.reopen();
    expect(await scene.heard(scene.user)).toHaveLength(3);
  });
});

describe('a compaction that fails', () => {
  it.each(['create', 'write', 'sync', 'rename', 'remove', 'syncDirectory'] as const)(
    'at a %s says so, leaves the log as it was, and is done again by itself',
    async (kind) => {
      await using scene = await setScene(SMALL);
      const { user, other } = scene;
      await scene.say(user, 'secret'.padEnd(300));
      await scene.say(other, 'public'.padEnd(200), 'x'.repeat(900));
      await scene.say(user, '2'.padEnd(900), '3');
      await scene.log.trim(user, { before: 3 });
      await scene.log.erase(user, { threadId: scene.threadId });
      scene.disk.onOperation = (operation) => {
        if (operation.kind === kind) throw diskError('EIO');
      };
      expect(await scene.log.compact().catch(codeOf)).toBe('LOG_WRITE_FAILED');
      expect(await scene.heard(user)).toEqual(['erased']);
      expect(await scene.heard(other)).toHaveLength(2);
      await scene.clock.advance(60_000);
      expect(scene.logged('error').at(-1)).toMatch(
        /^The (event log could not be compacted|disk did not sync)/,
      );
      scene.disk.onOperation = undefined;
      await scene.clock.advance(60_000);
      await scene.clock.settle();
      expect(isOnDisk(scene, 'secret')).toBe(false);
      expect(scene.disk.list().filter((name) => name.endsWith('.tmp'))).toEqual([]);
      await scene.reopen();
      expect(await scene.heard(user)).toEqual(['erased']);
      expect(await scene.heard(other)).toHaveLength(2);
      expect(scene.log.stats().damage).toEqual([]);
    },
  );

  it('on a full disk does not lose what a state record was to say', async () => {
    await using scene = await setScene(SMALL);
    const { user } = scene;
    await scene.say(user, 'x'.repeat(900), 'y'.repeat(900));
    await scene.log.trim(user, { before: 3 });
    scene.disk.capacityBytes = usedBytes(scene.disk);
    const compacted = await scene.log.compact().then(() => 'done', codeOf);
    await scene.reopen();
    expect([compacted, (await scene.log.stream(user)).head]).toEqual([expect.any(String), 2]);
  });
});

describe('closing', () => {
  it('in the middle of a compaction ends it, quietly, and leaves nothing half done', async () => {
    await using scene = await setScene(SMALL);
    const { user } = scene;
    await scene.say(user, ...Array.from({ length: 20 }, () => 'x'.repeat(400)));
    await scene.log.erase(user, { threadId: scene.threadId });
    let release = (): void => undefined;
    scene.disk.delay = () => new Promise((resolve) => (release = resolve));
    const compacting = scene.log.compact();
    const closing = scene.log.close();
    scene.disk.delay = undefined;
    release();
    await Promise.all([compacting, closing]);
    expect(scene.logged('error')).toEqual([]);
    expect(scene.clock.pendingTimers).toBe(0);
    await scene.open();
    expect(await scene.heard(user)).toEqual(Array.from({ length: 20 }, () => 'erased'));
    await scene.log.compact();
    expect(isOnDisk(scene, 'xxx')).toBe(false);
  });
});

import { describe, expect, it } from '@jest/globals';
import { encodeSegmentHeader, segmentName } from '../src/segment-format.js';
import { overwrite, type RecordPlace, recordsOn, segmentsOn } from './support/layout.js';
import { pick } from './support/plans.js';
import { type Scene, setScene } from './support/scene.js';

/** Changes a byte of a record, of its last event unless said otherwise. */
function damage(scene: Scene, { file, offset, length }: RecordPlace, at = length - 5): void {
  const byte = scene.disk.contents(file)[offset + at] ?? 0;
  overwrite(scene.disk, file, offset + at, Uint8Array.of(byte ^ 0xff));
}

async function damagedWhileClosed(scene: Scene, index: number, at?: number): Promise<void> {
  await scene.log.close();
  damage(scene, pick(recordsOn(scene.disk), index), at);
  await scene.open();
}

describe('a record in the middle that is damaged', () => {
  it('[BR-8] moves first behind it; readers below get reset with trimmed, those above and others go on', async () => {
    await using scene = await setScene();
    const { user, other } = scene;
    await scene.say(user, '1', '2');
    await scene.say(other, 'a');
    await scene.say(user, '3', '4');
    const [, , , { seq, id } = { seq: 0, id: '' }] = await scene.events(user);
    await damagedWhileClosed(scene, 1);
    expect(await scene.heard(user)).toEqual(['3', '4']);
    expect(await scene.heard(other)).toEqual(['a']);
    for (const below of [0, 1]) expect(await scene.resetReason(user, { seq: below })).toBe('trimmed');
    expect(await scene.resetReason(user, { seq: 2 })).toBeUndefined();
    expect(await scene.resetReason(user, { seq, id })).toBeUndefined();
    const [, damaged] = recordsOn(scene.disk);
    expect(scene.log.stats().damage).toEqual([
      {
        segment: segmentName(1),
        offset: expect.any(Number),
        bytes: damaged?.length,
        reason: 'These bytes are no valid record.',
      },
    ]);
    expect(scene.logged('error')).toHaveLength(1);
  });

  it('costs a reader nothing whose page ends before it', async () => {
    await using scene = await setScene();
    const { user } = scene;
    const { epoch } = await scene.log.append(user, [scene.said('1')]);
    await scene.say(user, '2', '3');
    damage(scene, pick(recordsOn(scene.disk), 2));
    const after = { epoch, seq: 0 };
    const page = await scene.log.read(user, { after, limitEvents: 2, limitBytes: 10_000 });
    expect(page).toMatchObject({ kind: 'page', at: { seq: 2 } });
    expect(scene.log.stats().damage).toEqual([]);
  });

  it('stays where it is until the segment is written anew', async () => {
    await using scene = await setScene();
    await scene.say(scene.user, '1', '2', '3');
    await damagedWhileClosed(scene, 1);
    await scene.reopen();
    expect(scene.log.stats().damagedPlaces).toBe(1);
    await scene.log.erase(scene.user, { threadId: scene.threadId });
    await scene.log.compact();
    await scene.reopen();
    expect(scene.log.stats().damage).toEqual([]);
    expect(await scene.heard(scene.user)).toEqual(['erased']);
  });
});

describe("a user's newest record that is damaged", () => {
  it('is not served, and its seq is never given to another event', async () => {
    await using scene = await setScene();
    const { user } = scene;
    await scene.say(user, '1', '2', '3');
    const [, second] = await scene.events(user);
    await damagedWhileClosed(scene, 2);
    expect(await scene.log.stream(user)).toMatchObject({ first: 4, head: 3 });
    expect(await scene.resetReason(user, { seq: 2, id: second?.id ?? '' })).toBe('trimmed');
    expect((await scene.log.append(user, [scene.said('4')])).firstSeq).toBe(4);
    await scene.log.compact();
    await scene.reopen();
    expect(await scene.heard(user)).toEqual(['4']);
  });

  it('is remembered when the damage itself is gone', async () => {
    await using scene = await setScene({ maxSegmentBytes: 400 });
    const { user, other } = scene;
    await scene.say(other, 'x'.repeat(200));
    await scene.say(user, '1');
    await damagedWhileClosed(scene, 1);
    await scene.say(other, 'y'.repeat(300), 'z'.repeat(300));
    await scene.log.trim(other, { before: 3 });
    await scene.log.compact();
    await scene.reopen();
    expect(scene.log.stats().damage).toEqual([]);
    expect(await scene.log.stream(user)).toMatchObject({ first: 2, head: 1 });
  });

  it('that is the only one of its user leaves the user behind it', async () => {
    await using scene = await setScene();
    await scene.say(scene.user, '1');
    await damagedWhileClosed(scene, 0);
    expect(await scene.log.stream(scene.user)).toMatchObject({ first: 2, head: 1, headId: null });
  });

  it('is believed in nothing when what it says cannot be', async () => {
    await using scene = await setScene();
    const { user } = scene;
    await scene.say(user, '1', '2', '3');
    const COUNT_AT = 24;
    await damagedWhileClosed(scene, 2, COUNT_AT);
    expect(await scene.log.stream(user)).toMatchObject({ first: 1, head: 2 });
    expect(scene.log.stats().damagedPlaces).toBe(1);
  });
});

describe('damage that comes while the log is open', () => {
  it('is found by the reader, reported once, never served, and known to the next start', async () => {
    await using scene = await setScene();
    const { user } = scene;
    await scene.say(user, '1', '2', '3');
    damage(scene, pick(recordsOn(scene.disk), 1));
    expect(await scene.resetReason(user, { seq: 0 })).toBe('trimmed');
    expect(await scene.heard(user)).toEqual(['3']);
    expect(await scene.resetReason(user, { seq: 1 })).toBe('trimmed');
    expect(scene.log.stats()).toMatchObject({
      damagedPlaces: 1,
      damage: [{ segment: segmentName(1), reason: 'The record has changed since it was written.' }],
    });
    expect(scene.logged('error')).toHaveLength(1);
    await scene.reopen();
    expect(await scene.heard(user)).toEqual(['3']);
  });

  it('in the newest record does not let its seq be given to another event, also after a restart', async () => {
    await using scene = await setScene();
    const { user } = scene;
    await scene.say(user, '1', '2');
    damage(scene, pick(recordsOn(scene.disk), 1));
    expect(await scene.log.stream(user)).toMatchObject({ first: 3, head: 2, headId: null });
    await scene.clock.settle();
    await scene.reopen();
    expect(await scene.log.stream(user)).toMatchObject({ first: 3, head: 2, headId: null });
  });

  it('in a record whose place was taken by one of another user is damage all the same', async () => {
    await using scene = await setScene();
    await scene.say(scene.user, 'mine');
    await scene.say(scene.other, 'hers');
    const [mine, hers] = recordsOn(scene.disk);
    const { file, offset, length } = pick([hers], 0) ?? {};
    const bytes = scene.disk.contents(file ?? '').slice(offset, (offset ?? 0) + (length ?? 0));
    overwrite(scene.disk, mine?.file ?? '', mine?.offset ?? 0, bytes);
    expect(await scene.resetReason(scene.user, { seq: 0 })).toBe('trimmed');
    expect(await scene.heard(scene.user)).toEqual([]);
  });

  it('in a record whose id alone is still needed costs that id', async () => {
    await using scene = await setScene();
    const { user } = scene;
    await scene.say(user, '1', '2');
    const [first] = await scene.events(user);
    await scene.reopen({ retention: { maxEvents: 1 } });
    damage(scene, pick(recordsOn(scene.disk), 0));
    expect(await scene.resetReason(user, { seq: 1, id: first?.id ?? '' })).toBe('fork');
    expect(await scene.resetReason(user, { seq: 1 })).toBeUndefined();
    expect(await scene.heard(user)).toEqual(['2']);
    expect(scene.log.stats().damagedPlaces).toBe(1);
  });

  it('lists a thousand places and counts the rest', async () => {
    await using scene = await setScene();
    const users = Array.from({ length: 1_001 }, () => scene.ids.userId());
    await Promise.all(users.map((user) => scene.log.append(user, [scene.said('1')])));
    for (const record of recordsOn(scene.disk)) damage(scene, record);
    for (const user of users) expect(await scene.heard(user)).toEqual([]);
    expect(scene.log.stats().damagedPlaces).toBe(1_001);
    expect(scene.log.stats().damage).toHaveLength(1_000);
    expect(scene.logged('error')).toHaveLength(1_001);
  });
});

describe('a segment file', () => {
  it('that has lost its end is reported with what is missing', async () => {
    await using scene = await setScene({ maxSegmentBytes: 300 });
    const { user } = scene;
    await scene.say(user, '1', '2', '3');
    await scene.log.close();
    const [file = ''] = segmentsOn(scene.disk);
    const contents = scene.disk.contents(file);
    scene.disk.setContents(file, contents.subarray(0, contents.length - 5));
    await scene.open();
    expect(scene.log.stats().damage).toContainEqual({
      segment: file,
      offset: contents.length - 5,
      bytes: 5,
      reason: 'The end of the file is missing.',
    });
    expect((await scene.log.stream(user)).head).toBe(3);
  });

  it('that is gone from the middle is a hole for those who had events in it', async () => {
    await using scene = await setScene({ maxSegmentBytes: 300 });
    const { user, other } = scene;
    await scene.say(user, '1');
    await scene.say(other, 'a'.repeat(150));
    await scene.say(user, '2'.repeat(150), '3'.repeat(150));
    await scene.log.close();
    const files = segmentsOn(scene.disk);
    expect(files).toHaveLength(4);
    scene.disk.remove(pick(files, 2));
    await scene.open();
    expect(await scene.heard(other)).toHaveLength(1);
    expect(await scene.log.stream(user)).toMatchObject({ first: 3, head: 3 });
    expect(await scene.resetReason(user, { seq: 1 })).toBe('trimmed');
  });

  it('whose header is damaged keeps its records; the epoch is known from another', async () => {
    await using scene = await setScene({ maxSegmentBytes: 300 });
    const { user } = scene;
    await scene.say(user, '1'.repeat(100), '2'.repeat(100), '3'.repeat(100));
    const { epoch } = await scene.log.stream(user);
    await scene.log.close();
    overwrite(scene.disk, segmentName(1), 12, Uint8Array.of(99));
    await scene.open();
    expect((await scene.log.stream(user)).epoch).toBe(epoch);
    expect(await scene.heard(user)).toHaveLength(3);
    expect(scene.log.stats().damage).toMatchObject([{ segment: segmentName(1), offset: 0 }]);
  });

  it('that is the only one and whose header is damaged begins a new epoch, which stays', async () => {
    await using scene = await setScene();
    const { user } = scene;
    await scene.say(user, '1');
    const { epoch } = await scene.log.stream(user);
    await scene.log.close();
    overwrite(scene.disk, segmentName(1), 30, Uint8Array.of(99));
    await scene.open();
    const renewed = await scene.log.stream(user);
    expect(renewed).toMatchObject({ first: 1, head: 1 });
    expect(renewed.epoch).not.toBe(epoch);
    expect(await scene.resetReason(user, { epoch, seq: 1 })).toBe('epoch');
    await scene.reopen();
    expect(await scene.log.stream(user)).toEqual(renewed);
    await scene.say(user, '2');
    await scene.reopen();
    expect(await scene.heard(user)).toEqual(['1', '2']);
  });

  it('whose damaged header was written anew does not hide what is in the one before', async () => {
    await using scene = await setScene({ maxSegmentBytes: 500 });
    const { user, other } = scene;
    await scene.say(user, '1'.repeat(300));
    await scene.say(other, 'a'.repeat(120));
    await scene.say(user, '2'.repeat(40), '3'.repeat(300));
    await scene.log.close();
    overwrite(scene.disk, segmentName(2), 30, Uint8Array.of(99));
    await scene.open();
    await scene.log.erase(other, { threadId: scene.threadId });
    await scene.log.compact();
    await scene.reopen();
    expect(scene.log.stats().damage).toEqual([]);
    expect(await scene.heard(user)).toHaveLength(3);
  });

  it('in which a record stands twice serves it once', async () => {
    await using scene = await setScene();
    const { user } = scene;
    await scene.say(user, '1', '2');
    await scene.log.close();
    const contents = scene.disk.contents(segmentName(1));
    const [first, second] = recordsOn(scene.disk);
    const twice = contents.slice(first?.offset, second?.offset);
    scene.disk.setContents(segmentName(1), Buffer.concat([contents, twice]));
    await scene.open();
    expect(await scene.heard(user)).toEqual(['1', '2']);
    expect(scene.log.stats().damage).toMatchObject([
      { reason: 'Its events from 1 on were in the log before.' },
    ]);
    await scene.log.erase(user, { threadId: scene.threadId });
    await scene.log.compact();
    expect(scene.log.stats().liveBytes).toBeGreaterThan(0);
  });

  it('after the last that was only just begun is removed, whatever the power loss left of it', async () => {
    await using scene = await setScene();
    await scene.say(scene.user, '1');
    const { epoch } = await scene.log.stream(scene.user);
    const identity = { epoch, number: 2, through: 2, previousEnd: 1, isRewritten: false };
    const header = encodeSegmentHeader(identity);
    for (const left of [
      new Uint8Array(0),
      header.subarray(0, 5),
      header.subarray(0, 40),
      new Uint8Array(4_096),
    ]) {
      await scene.log.close();
      scene.disk.setContents(segmentName(2), left);
      await scene.open();
      expect(segmentsOn(scene.disk)).toEqual([segmentName(1)]);
      expect(scene.log.stats()).toMatchObject({ damage: [], tornBytes: left.length });
      expect(await scene.heard(scene.user)).toEqual(['1']);
    }
  });

  it('that is empty and not the last is damage', async () => {
    await using scene = await setScene({ maxSegmentBytes: 300 });
    await scene.say(scene.user, '1'.repeat(200), '2'.repeat(200));
    await scene.log.close();
    scene.disk.setContents(segmentName(1), new Uint8Array(0));
    await scene.open();
    expect(scene.log.stats().damage).toMatchObject([
      { segment: segmentName(1), offset: 0, bytes: 0, reason: 'The file is empty.' },
      { segment: segmentName(1), offset: 0, reason: 'The end of the file is missing.' },
    ]);
    expect(await scene.log.stream(scene.user)).toMatchObject({ first: 2, head: 2 });
  });
});

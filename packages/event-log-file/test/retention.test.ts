import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { levelOf } from '../src/retention.js';
import { usedBytes } from './support/dying-disk.js';
import { numRuns, pick } from './support/plans.js';
import { setScene } from './support/scene.js';

const HOUR_MS = 60 * 60_000;

describe('what is kept of a user', () => {
  it('is at most so many bytes of records, and the newest event whatever its size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(300), { minLength: 1, maxLength: 5 }), { maxLength: 30 }),
        async (appends) => {
          await using scene = await setScene({ retention: { maxBytes: 1_500 } });
          const { user } = scene;
          let head = 0;
          for (const sizes of appends) {
            await scene.log.append(
              user,
              sizes.map((size) => scene.said('x'.repeat(size))),
            );
            head += sizes.length;
            const stream = await scene.log.stream(user);
            expect(stream.head).toBe(head);
            expect(stream.first).toBeLessThanOrEqual(head);
            const { liveBytes } = scene.log.stats();
            if (stream.first < head) expect(liveBytes).toBeLessThanOrEqual(1_500);
            expect(await scene.heard(user)).toHaveLength(head - stream.first + 1);
          }
          await scene.reopen();
          const stream = await scene.log.stream(user);
          if (stream.first < head) expect(scene.log.stats().liveBytes).toBeLessThanOrEqual(1_500);
        },
      ),
      { numRuns: numRuns(60) },
    );
  });

  it('is not looked up on the disk when each append is one event', async () => {
    await using scene = await setScene({ retention: { maxBytes: 1_500 } });
    let reads = 0;
    scene.disk.onOperation = ({ kind }) => {
      if (kind === 'read') reads += 1;
    };
    for (let n = 0; n < 50; n += 1) await scene.say(scene.user, 'x'.repeat(n));
    expect(reads).toBe(0);
    expect(scene.log.stats().liveBytes).toBeLessThanOrEqual(1_500);
  });

  it('is what was kept before, after a restart with other limits', async () => {
    await using scene = await setScene();
    await scene.say(scene.user, '1', '2', '3', '4');
    await scene.reopen({ retention: { maxEvents: 2 } });
    expect(await scene.heard(scene.user)).toEqual(['3', '4']);
    await scene.reopen({ retention: { maxAgeMs: HOUR_MS } });
    await scene.clock.advance(2 * HOUR_MS);
    expect(await scene.heard(scene.user)).toEqual([]);
    expect(await scene.log.stream(scene.user)).toMatchObject({ first: 5, head: 4 });
  });
});

describe('what is kept of all together', () => {
  it('is at most so many bytes; the users with the most give way, and the quiet ones keep all', async () => {
    await using scene = await setScene({ maxTotalBytes: 20_000, maxSegmentBytes: 4_000 });
    const { log } = scene;
    const [large, larger, ...quiet] = Array.from({ length: 6 }, () => scene.ids.userId());
    for (const user of quiet) await scene.say(user, 'I am quiet', 'and stay');
    for (let round = 0; round < 60; round += 1) {
      if (large !== undefined) await scene.say(large, 'x'.repeat(100));
      if (larger !== undefined) await scene.say(larger, 'x'.repeat(300));
      expect(log.stats().liveBytes).toBeLessThanOrEqual(20_000);
    }
    for (const user of quiet) expect(await scene.heard(user)).toEqual(['I am quiet', 'and stay']);
    const { first } = await log.stream(pick([larger ?? scene.user], 0));
    expect(first).toBeGreaterThan(10);
    await log.compact();
    expect(usedBytes(scene.disk)).toBeLessThan(2 * 20_000 + 4_000);
  });

  it('has one level for the largest, above which there is just what must go', () => {
    const sizes = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(sizes, fc.double({ min: 0, max: 1, noNaN: true }), (bytes, share) => {
        const users = bytes.sort((a, b) => b - a).map((size) => ({ bytes: size }));
        const excess = share * bytes.reduce((sum, size) => sum + size, 0);
        const level = levelOf(users, excess);
        const above = bytes.reduce((sum, size) => sum + Math.max(0, size - level), 0);
        expect(level).toBeGreaterThanOrEqual(-1e-9);
        expect(above).toBeCloseTo(excess, 6);
      }),
    );
  });

  it('is not brought down with every append when newest events alone are more than the limit', async () => {
    await using scene = await setScene({ maxTotalBytes: 1_000 });
    const users = Array.from({ length: 200 }, () => scene.ids.userId());
    for (const user of users) await scene.say(user, 'x'.repeat(100));
    const newest = scene.log.stats().liveBytes;
    for (let round = 0; round < 200; round += 1) await scene.say(pick(users, 0), 'y');
    expect(scene.log.stats().liveBytes).toBeLessThanOrEqual(newest / 0.95);
    for (const user of users) expect(await scene.heard(user)).not.toEqual([]);
  });
});

describe('what is kept in memory', () => {
  it('of a user who left goes with time: producers, runs, events, and the user', async () => {
    await using scene = await setScene({ maxSegmentBytes: 2_000, retention: { maxAgeMs: HOUR_MS } });
    const { user, other } = scene;
    const producer = { id: 'cmd:1', attempt: 1, n: 1 };
    const { lastId, epoch } = await scene.log.append(user, [scene.said('bye')], { producer });
    await scene.say(other, 'x'.repeat(1_500), 'y'.repeat(1_500));
    for (let hour = 0; hour < 30; hour += 1) {
      await scene.clock.advance(HOUR_MS);
      await scene.clock.settle();
    }
    expect(scene.clock.pendingTimers).toBe(0);
    expect(scene.log.stats()).toMatchObject({ users: 2, records: 0, indexBytes: 0 });
    expect(await scene.log.stream(user)).toEqual({ epoch, first: 2, head: 1, headId: lastId });
    expect(await scene.resetReason(user, { seq: 1, id: lastId })).toBeUndefined();
    expect(await scene.resetReason(user, { seq: 1, id: 'evt_other' })).toBe('fork');
    expect(await scene.log.append(user, [scene.said('again')], { producer })).toMatchObject({ firstSeq: 2 });
    expect(scene.log.stats().users).toBe(2);
    await scene.reopen();
    expect(await scene.heard(user)).toEqual(['again']);
  });

  it('of a user whose every append was refused goes too', async () => {
    await using scene = await setScene({ maxEventBytes: 100 });
    await scene.log.append(scene.user, [scene.said('x'.repeat(100))]).catch(() => undefined);
    expect(scene.log.stats().users).toBe(1);
    await scene.say(scene.other, '').catch(() => undefined);
    await scene.reopen();
    expect(scene.log.stats().users).toBe(0);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_SEGMENT_HEADER_BYTES } from '../src/segment-format.js';
import type { MemoryDisk } from '../src/testing/index.js';
import { CrashScene } from './support/crash-scene.js';
import { overwrite, type RecordPlace, recordsOn, segmentsOn } from './support/layout.js';
import { type CrashStep, crashSteps, numRuns, pick, share } from './support/plans.js';

/** What happens to a folder while nobody looks. */
interface Accident {
  readonly file: number;
  readonly offset: number;
  /** One byte is changed, or so many are zero. */
  readonly what: { readonly flip: number } | { readonly zeros: number };
}

const accident: fc.Arbitrary<Accident> = fc.record({
  file: share,
  offset: share,
  what: fc.oneof(
    fc.record({ flip: fc.integer({ min: 1, max: 255 }) }),
    fc.record({ zeros: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 3_000 })) }),
  ),
});

interface Hit {
  readonly file: string;
  readonly from: number;
  readonly to: number;
}

/** Damages a segment with records; undefined when the disk is as it was, or the file is none any more at all. */
function damaged(disk: MemoryDisk, { file, offset, what }: Accident): Hit | undefined {
  const names = segmentsOn(disk).filter((name) => recordsOn(disk).some((record) => record.file === name));
  if (names.length === 0) return undefined;
  const target = pick(names, Math.min(names.length - 1, Math.floor(file * names.length)));
  const contents = disk.contents(target);
  const from = Math.min(contents.length - 1, Math.floor(offset * contents.length));
  const bytes =
    'flip' in what
      ? Uint8Array.of((contents[from] ?? 0) ^ what.flip)
      : new Uint8Array(Math.min(what.zeros, contents.length - from));
  const to = from + bytes.length;
  if (Buffer.compare(contents.subarray(from, to), bytes) === 0) return undefined;
  overwrite(disk, target, from, bytes);
  const isSegment = from > MAX_SEGMENT_HEADER_BYTES || recordsOn(disk).some(({ file }) => file === target);
  return isSegment ? { file: target, from, to } : undefined;
}

function isHit(hit: Hit, { file, offset, length }: RecordPlace): boolean {
  return file === hit.file && offset < hit.to && offset + length > hit.from;
}

async function sceneAfter(steps: readonly CrashStep[]): Promise<CrashScene> {
  const scene = new CrashScene({});
  await scene.open();
  for (const step of steps) await scene.take(step);
  return scene;
}

describe('damage that happened while the log was closed', () => {
  it('is reported, never served, and costs nobody else anything, wherever it is', async () => {
    await fc.assert(
      fc.asyncProperty(crashSteps, accident, async (steps, planned) => {
        const scene = await sceneAfter(steps);
        const whole = await scene.picture();
        await scene.log.close();
        const records = recordsOn(scene.disk);
        const hit = damaged(scene.disk, planned);
        fc.pre(hit !== undefined);
        await scene.open();
        const { damagedPlaces, tornBytes } = scene.log.stats();
        expect(damagedPlaces + tornBytes).toBeGreaterThan(0);
        const touched = records.filter((record) => isHit(hit, record));
        const now = await scene.picture();
        for (const [index, user] of scene.cast.users.entries()) {
          const [before, after] = [pick(whole, index), pick(now, index)];
          const hits = touched.filter((record) => record.user === user);
          if (hits.length === 0) expect(after).toEqual(before);
          if (hits.every(({ isState }) => !isState)) {
            after.events.forEach((event, at) => {
              expect(event).toBe(before.events[after.first - before.first + at]);
            });
          }
          expect(after.head).toBeLessThanOrEqual(before.head);
        }
        await scene.log.close();
      }),
      { numRuns: numRuns(150) },
    );
  }, 60_000);

  it('is still there at the next start, and the log goes on behind it', async () => {
    await fc.assert(
      fc.asyncProperty(crashSteps, accident, crashSteps, async (steps, planned, more) => {
        const scene = await sceneAfter(steps);
        await scene.log.close();
        fc.pre(damaged(scene.disk, planned) !== undefined);
        await scene.open();
        for (const step of more) await scene.take(step);
        const picture = await scene.picture();
        const { epoch } = await scene.log.stream(scene.cast.users[0]);
        await scene.log.close();
        await scene.open();
        expect(await scene.picture()).toEqual(picture);
        expect((await scene.log.stream(scene.cast.users[0])).epoch).toBe(epoch);
        await scene.log.close();
      }),
      { numRuns: numRuns(150) },
    );
  }, 60_000);
});

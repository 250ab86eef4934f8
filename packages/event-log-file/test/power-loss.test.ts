import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FsyncPolicy } from '../src/index.js';
import type { PowerLoss } from '../src/testing/index.js';
import { CrashScene } from './support/crash-scene.js';
import { letDie } from './support/dying-disk.js';
import type { StreamPicture } from './support/picture.js';
import { type CrashStep, crashSteps, numRuns, share } from './support/plans.js';

const loss: fc.Arbitrary<PowerLoss> = fc.record({
  keptBytes: fc.oneof(fc.constant(0), fc.nat(2_000)),
  keepsFolder: fc.boolean(),
});

interface Loss {
  readonly steps: readonly CrashStep[];
  /** Where in the operations. */
  readonly when: number;
  readonly loss: PowerLoss;
}

const losses: fc.Arbitrary<Loss> = fc.record({ steps: crashSteps, when: share, loss });

/** Lets the machine lose power, and starts it again. Returns how many calls had been made at the last sync. */
async function losePower(options: ConstructorParameters<typeof CrashScene>[0], { steps, when, loss }: Loss) {
  const dry = new CrashScene(options);
  await dry.open();
  const all = letDie(dry.disk, undefined);
  for (const step of steps) await dry.take(step);
  await dry.log.close();

  const scene = new CrashScene(options);
  await scene.open();
  const mortal = letDie(scene.disk, { operation: Math.ceil(when * all.operations), share: 1 });
  let synced = 0;
  for (const step of steps) {
    if (mortal.isDead) break;
    await scene.take(step);
    if (step === 'interval' && options.fsync === 'interval' && !mortal.isDead) synced = scene.calls.length;
  }
  const disk = scene.disk.afterCrash('power', loss);
  disk.capacityBytes = Number.POSITIVE_INFINITY;
  await scene.reopenOn(disk);
  return { scene, synced };
}

/** The number of calls after which the log was just as it is now; undefined when it never was. */
async function callsLeft(scene: CrashScene): Promise<number | undefined> {
  const picture = JSON.stringify(await scene.picture());
  for (let made = scene.calls.length; made >= 0; made -= 1) {
    if (JSON.stringify(await scene.expected(made)) === picture) return made;
  }
  return undefined;
}

describe('a machine that loses power', () => {
  it('loses nothing acknowledged with fsync always, whatever was compacted', async () => {
    await fc.assert(
      fc.asyncProperty(losses, async (lost) => {
        const { scene } = await losePower({ fsync: 'always' }, lost);
        expect(scene.log.stats().damage).toEqual([]);
        expect(await callsLeft(scene)).toBeGreaterThanOrEqual(scene.settledCalls);
        await scene.log.close();
      }),
      { numRuns: numRuns(80) },
    );
  }, 60_000);

  it.each<FsyncPolicy>(['interval', 'never'])(
    'may lose the end of a segment and never a middle: fsync %s',
    async (fsync) => {
      await fc.assert(
        fc.asyncProperty(losses, async (lost) => {
          const steps = lost.steps.filter((step) => step !== 'compact');
          const options = { fsync, maxSegmentBytes: 1_000_000 };
          const { scene, synced } = await losePower(options, { ...lost, steps });
          expect(scene.log.stats().damage).toEqual([]);
          expect(await callsLeft(scene)).toBeGreaterThanOrEqual(synced);
          await scene.log.close();
        }),
        { numRuns: numRuns(80) },
      );
    },
    60_000,
  );

  it.each<FsyncPolicy>(['interval', 'never'])(
    'serves nothing but what was appended, each event at its place, through segment changes and compactions: fsync %s',
    async (fsync) => {
      await fc.assert(
        fc.asyncProperty(losses, async (lost) => {
          const { scene, synced } = await losePower({ fsync }, lost);
          const now = await scene.picture();
          const all = await scene.expected(scene.calls.length);
          const then = await scene.expected(synced);
          now.forEach((stream, index) => {
            expect(contradictions(stream, all[index])).toEqual([]);
            expect(stream.head).toBeGreaterThanOrEqual(then[index]?.head ?? 0);
          });
          await scene.log.close();
        }),
        { numRuns: numRuns(80) },
      );
    },
    60_000,
  );
});

/** Events that were never at their place. What was erased, or trimmed, may be there as it was before. */
function contradictions(now: StreamPicture, all: StreamPicture | undefined): readonly string[] {
  if (all === undefined || now.head > all.head) return [`head ${now.head}`];
  return now.events.filter((event, index) => {
    const then = all.events[now.first + index - all.first];
    return then !== undefined && event !== then && !then.includes('"erased"');
  });
}

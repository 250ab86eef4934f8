import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FsyncPolicy } from '../src/index.js';
import { comparable, make } from './support/calls.js';
import { CrashScene } from './support/crash-scene.js';
import { type Death, letDie } from './support/dying-disk.js';
import { type CrashStep, crashSteps, numRuns, share } from './support/plans.js';

const POLICIES: readonly FsyncPolicy[] = ['never', 'interval', 'always'];

/** Lets the process die, and starts the next one on what it left. Returns how many operations there were. */
async function dieAndReturn(
  scene: CrashScene,
  steps: readonly CrashStep[],
  death: Death | undefined,
): Promise<number> {
  await scene.open();
  const { epoch } = await scene.log.stream(scene.cast.users[0]);
  const mortal = letDie(scene.disk, death);
  for (const step of steps) {
    if (!mortal.isDead) await scene.take(step);
  }
  const { operations } = mortal;
  const disk = scene.disk.afterCrash('process');
  disk.capacityBytes = Number.POSITIVE_INFINITY;
  await scene.reopenOn(disk);
  expect((await scene.log.stream(scene.cast.users[0])).epoch).toBe(epoch);
  expect(scene.log.stats().damage).toEqual([]);
  return operations;
}

/** What was acknowledged is there, and of the calls under way each was made wholly or not at all. */
async function callsMade(scene: CrashScene): Promise<number> {
  const picture = await scene.picture();
  const { settledCalls, calls } = scene;
  for (let made = settledCalls; made < calls.length; made += 1) {
    if (JSON.stringify(await scene.expected(made)) === JSON.stringify(picture)) return made;
  }
  expect(picture).toEqual(await scene.expected(calls.length));
  return calls.length;
}

/** Producers, runs and positions are those of a log on which just so many calls were made. */
async function goesOn(scene: CrashScene, made: number): Promise<void> {
  const model = await scene.model(made);
  for (const call of scene.calls) {
    const [onDisk, inMemory] = [await make(scene.log, call), await make(model, call)];
    expect(comparable(onDisk)).toEqual(comparable(inMemory));
  }
  await model.close();
}

async function survives(scene: CrashScene, steps: readonly CrashStep[], death: Death): Promise<void> {
  await dieAndReturn(scene, steps, death);
  const made = await callsMade(scene);
  const erased = scene.erasedTexts(made);
  await scene.log.compact();
  expect(scene.foundOnDisk(erased)).toEqual([]);
  await goesOn(scene, made);
  // What a torn write had left, and was written behind, would be damage by now.
  await scene.log.close();
  await scene.open();
  expect(scene.log.stats().damage).toEqual([]);
  await scene.log.close();
}

async function operationsOf(scene: CrashScene, steps: readonly CrashStep[]): Promise<number> {
  const operations = await dieAndReturn(scene, steps, undefined);
  await scene.log.close();
  return operations;
}

describe('a process that dies', () => {
  it.each(POLICIES)(
    '[BR-7] loses nothing acknowledged and leaves nothing half done, at any byte of anything: fsync %s',
    async (fsync) => {
      await fc.assert(
        fc.asyncProperty(crashSteps, share, share, async (steps, when, written) => {
          const operations = await operationsOf(new CrashScene({ fsync }), steps);
          const death = { operation: Math.ceil(when * operations), share: written };
          await survives(new CrashScene({ fsync }), steps, death);
        }),
        { numRuns: numRuns(60) },
      );
    },
    60_000,
  );

  it.each(POLICIES)(
    '[BR-7] at every single operation of appends, erasures, segment changes and compactions: fsync %s',
    async (fsync) => {
      const options = { fsync, maxSegmentBytes: 900 };
      const operations = await operationsOf(new CrashScene(options), EVERYTHING);
      expect(operations).toBeGreaterThan(40);
      for (let operation = 1; operation <= operations; operation += 1) {
        for (const written of [0, 0.4, 1]) {
          await survives(new CrashScene(options), EVERYTHING, { operation, share: written });
        }
      }
    },
    60_000,
  );
});

const said = (user: number, thread: number, ...sizes: number[]) =>
  ({ do: 'append', user, thread, sizes }) as const;
const ran = (event: 'start' | 'think' | 'end', user = 0) =>
  ({ do: 'run', user, run: 0, event, key: 'next', size: 10 }) as const;

/** Segments fill, are emptied, erased in and merged. */
const EVERYTHING: readonly CrashStep[] = [
  [said(0, 0, 10, 10), said(1, 1, 200), ran('start'), said(2, 0, 10)],
  [said(0, 1, 300), said(1, 0, 300)],
  'interval',
  [{ do: 'erase', user: 0, thread: 0 }, said(0, 0, 5)],
  [said(0, 1, 300), ran('think', 1), { do: 'trim', user: 1, share: 70 }],
  'compact',
  [said(1, 0, 100), said(2, 1, 500), ran('start', 2)],
  [{ do: 'trim', user: 0, share: 60 }, ran('end', 2)],
  [{ do: 'erase', user: 1, thread: 0 }],
  'compact',
  [said(1, 1, 40)],
  'interval',
];

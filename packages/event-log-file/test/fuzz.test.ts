import { describe, it } from '@jest/globals';
import type { FsyncPolicy } from '../src/index.js';
import { FuzzWorld } from './support/fuzz-world.js';

/** `SEEDS` says how many seeds each policy gets, `SEED` the first of them. */
const SEEDS = Number(process.env['SEEDS'] ?? 12);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const STEPS = 60;
const MS_PER_SEED = 1_000;

describe('the file log in the hands of many users, on a machine that crashes and loses power', () => {
  it.each<FsyncPolicy>(['always', 'interval', 'never'])(
    '[BR-7] keeps every promise: fsync %s',
    async (fsync) => {
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
        const world = new FuzzWorld(seed, fsync);
        try {
          await world.run(STEPS);
        } catch (cause) {
          const again = `SEED=${seed} SEEDS=1 npm test -- fuzz -t ${fsync}`;
          throw new Error(`${String(cause)}\n${again}\n${world.trace.join('\n')}`, { cause });
        }
      }
    },
    60_000 + SEEDS * MS_PER_SEED,
  );
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { MUTANTS, type SimulationMutant } from '../mutants.js';
import { simulate } from './simulate.js';

const named = MUTANTS.map((mutant): [string, SimulationMutant] => [mutant.what, mutant]);
const sourceOf = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

/** A simulation that finds nothing proves nothing. */
describe('a simulation of broken code', () => {
  it.each(named)(
    'finds that %s',
    async (_what, { file, find, name, withinSeeds }) => {
      expect(sourceOf(file).split(find)).toHaveLength(2);
      const { output } = await simulate(
        '--mutant',
        name,
        '--seeds',
        String(withinSeeds),
        '--first',
        '--no-shrink',
      );
      expect(output).toMatch(/^\d+ seeds, 1 failing/m);
    },
    120_000,
  );
});

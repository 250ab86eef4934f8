import { describe, expect, it } from '@jest/globals';
import { createPrng } from '../src/prng.js';

function draws(seed: string, count = 5): number[] {
  const prng = createPrng(seed);
  return Array.from({ length: count }, () => prng.next());
}

describe('the seeded source of choices', () => {
  it('gives the same choices for the same seed, on every machine', () => {
    expect(draws('7').map((value) => Math.round(value * 2 ** 32))).toEqual([
      3_090_031_709, 1_740_206_369, 2_339_094_715, 181_616_503, 3_485_840_188,
    ]);
  });

  it('gives others for another seed', () => {
    expect(draws('7')).not.toEqual(draws('8'));
  });

  it('forks into a source that does not depend on what was drawn before', () => {
    const early = createPrng('7').fork('network');
    const late = createPrng('7');
    for (let drawn = 0; drawn < 5; drawn += 1) late.next();
    expect(late.fork('network').next()).toBe(early.next());
  });

  it('forks into different sources by name', () => {
    const prng = createPrng('7');
    expect(prng.fork('a').next()).not.toBe(prng.fork('b').next());
  });

  it('draws whole numbers from both ends of a range and nothing beyond', () => {
    const prng = createPrng('7');
    const seen = new Set(Array.from({ length: 200 }, () => prng.int(3, 6)));
    expect(seen).toEqual(new Set([3, 4, 5, 6]));
  });

  it('draws each order of magnitude about as often', () => {
    const prng = createPrng('7');
    const values = Array.from({ length: 3_000 }, () => prng.magnitude(1, 1_000));
    const below10 = values.filter((value) => value < 10).length;
    expect(Math.min(...values)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...values)).toBeLessThanOrEqual(1_000);
    expect(below10).toBeGreaterThan(800);
    expect(below10).toBeLessThan(1_200);
  });

  it('never picks what has no weight', () => {
    const prng = createPrng('7');
    const picked = new Set(Array.from({ length: 100 }, () => prng.weighted({ a: 1, b: 0, c: 3 })));
    expect(picked).toEqual(new Set(['a', 'c']));
  });

  it('refuses to pick from nothing', () => {
    expect(() => createPrng('7').pick([])).toThrow(RangeError);
  });
});

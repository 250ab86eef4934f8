import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { MemoryFigures } from './support/memory-probe.js';

const fileOf = (name: string): string => fileURLToPath(new URL(`support/${name}`, import.meta.url));

/** Measured where nothing else is: garbage of the tests' own would be counted too. */
async function measure(): Promise<MemoryFigures> {
  const args = ['--expose-gc', '--import', fileOf('register-sources.mjs'), fileOf('memory-probe.ts')];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as MemoryFigures;
}

describe('what a log keeps in memory', () => {
  let figures: MemoryFigures;

  beforeAll(async () => {
    figures = await measure();
  });

  it('of a user of whom nothing can be read is at most 100 bytes', () => {
    expect(Math.min(...figures.idleUser)).toBeGreaterThan(0);
    expect(Math.max(...figures.idleUser)).toBeLessThanOrEqual(100);
  });

  it('of a record is at most 24 bytes', () => {
    expect(Math.min(...figures.indexedRecord)).toBeGreaterThan(0);
    expect(Math.max(...figures.indexedRecord)).toBeLessThanOrEqual(24);
  });
});

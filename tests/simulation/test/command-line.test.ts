import { describe, expect, it } from '@jest/globals';
import { HELP, parseCommandLine } from '../src/command/command-line.js';

describe('the command line', () => {
  it('runs 2,000 seeds from the first on in one thread when nothing is said', () => {
    expect(parseCommandLine([])).toMatchObject({ kind: 'campaign', from: 1, seeds: 2_000, jobs: 1 });
  });

  it('takes a range, threads, and where to stop', () => {
    const command = parseCommandLine([
      '--seeds',
      '50',
      '--from',
      '7',
      '--jobs',
      '3',
      '--first',
      '--no-shrink',
    ]);
    expect(command).toMatchObject({ from: 7, seeds: 50, jobs: 3, stopsAtFirst: true, shrinks: false });
  });

  it('replays a seed, or a plan of a file, and keeps it', () => {
    expect(parseCommandLine(['--seed', '5'])).toMatchObject({ kind: 'replay', source: { seed: '5' } });
    expect(parseCommandLine(['--plan', 'x.json', '--keep', 'a lost event'])).toMatchObject({
      source: { file: 'x.json' },
      keep: 'a lost event',
    });
  });

  it('replays every plan that was kept', () => {
    expect(parseCommandLine(['--kept'])).toMatchObject({ kind: 'kept' });
  });

  it.each([['--seeds', 'many'], ['--seeds', '-1'], ['--unheard-of']])(
    'answers %s with help and what is wrong',
    (...args) => {
      expect(parseCommandLine(args)).toMatchObject({ kind: 'help', problem: expect.any(String) });
    },
  );

  it('helps', () => {
    expect(parseCommandLine(['--help'])).toEqual({ kind: 'help' });
    for (const option of ['seeds', 'from', 'jobs', 'seed', 'plan', 'keep', 'mutant']) {
      expect(HELP).toContain(`--${option} `);
    }
  });
});

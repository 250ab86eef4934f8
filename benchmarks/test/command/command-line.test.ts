import { describe, expect, test } from '@jest/globals';
import { helpText, parseCommandLine } from '../../src/command/command-line.js';

const KNOWN = { workloads: ['A1', 'B'], contestants: ['ws', 'runwire'] };
const parse = (...args: string[]) => parseCommandLine(args, KNOWN);

describe('the command line', () => {
  test('asks for everything when it says nothing', () => {
    expect(parse()).toEqual({ kind: 'run', workloads: undefined, contestants: undefined, rounds: 5 });
  });

  test('takes names separated by commas', () => {
    expect(parse('--workload', 'A1,B', '--contestants', 'runwire, ws', '--rounds', '3')).toEqual({
      kind: 'run',
      workloads: ['A1', 'B'],
      contestants: ['runwire', 'ws'],
      rounds: 3,
    });
  });

  test.each([
    ['a workload', ['--workload', 'A1,Z'], 'There is no workload "Z". There are: A1, B.'],
    ['a contestant', ['--contestants', 'wss'], 'There is no contestant "wss". There are: ws, runwire.'],
    ['a number', ['--rounds', 'many'], '--rounds must be a whole number from 1 on, not many.'],
    ['a positive number', ['--rounds', '0'], '--rounds must be a whole number from 1 on, not 0.'],
    ['--guard', ['--update'], '--update goes with --guard.'],
  ])('says what is wrong with what is not %s', (_, args, problem) => {
    expect(parse(...args)).toEqual({ kind: 'help', problem });
  });

  test('refuses an option that does not exist', () => {
    expect(parse('--fast')).toMatchObject({ kind: 'help', problem: expect.stringContaining('--fast') });
  });

  test.each([
    [['--profile', '--workload', 'B'], { kind: 'profile', workloads: ['B'] }],
    [['--guard'], { kind: 'guard', update: false }],
    [['--guard', '--update'], { kind: 'guard', update: true }],
    [['--tables', 'x.jsonl'], { kind: 'tables', file: 'x.jsonl' }],
    [['--help', '--guard'], { kind: 'help' }],
  ])('%j', (args, command) => {
    expect(parse(...args)).toMatchObject(command);
  });
});

test('the help names every workload and contestant', () => {
  expect(helpText(KNOWN)).toContain('A1, B');
  expect(helpText(KNOWN)).toContain('ws, runwire');
});

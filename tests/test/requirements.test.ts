import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT } from '../harness/tree-copy.js';
import { LATER, REQUIREMENTS } from '../requirements.js';

/** Where the tests are that `.ci/run` runs. A citation in a test that nobody runs proves nothing. */
const RUN_IN_CI = [
  /^(packages|apps)\/[^/]+\/test\//,
  /^tests\/test\//,
  /^tests\/simulation\/test\//,
  /^tests\/critical\//,
];

/** Every test file of the repository. */
function testFiles(): readonly string[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '*.test.ts', '*.test.tsx'],
    { cwd: ROOT },
  ).toString();
  return listed.split('\n').filter((file) => file !== '' && existsSync(join(ROOT, file)));
}

/** The ids cited in the titles of tests. */
function citedIn(files: readonly string[]): ReadonlySet<string> {
  const cited = new Set<string>();
  for (const file of files) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    for (const [, ids] of text.matchAll(/['"`]\[((?:[A-Z]{2}-\d+(?:, )?)+)\] /g)) {
      for (const id of (ids ?? '').split(', ')) cited.add(id);
    }
  }
  return cited;
}

describe('the requirements', () => {
  const files = testFiles();

  it('are each cited by a test that CI runs, but for those that are for later', () => {
    const cited = citedIn(files.filter((file) => RUN_IN_CI.some((place) => place.test(file))));
    const uncited = Object.keys(REQUIREMENTS).filter((id) => !cited.has(id));
    expect(uncited.filter((id) => !(LATER as readonly string[]).includes(id))).toEqual([]);
  });

  it('are the only ids that tests cite', () => {
    expect([...citedIn(files)].filter((id) => !(id in REQUIREMENTS))).toEqual([]);
  });

  it('are proven by what CI runs: the tests of npm test, and the critical ones', () => {
    const commands = readFileSync(join(ROOT, '.ci/run'), 'utf8');
    expect(commands).toMatch(/^count npm test$/m);
    expect(commands).toMatch(/^count npm run --silent test:critical$/m);
  });
});

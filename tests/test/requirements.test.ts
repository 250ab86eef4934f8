import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT } from '../harness/tree-copy.js';
import { LATER, REQUIREMENTS } from '../requirements.js';

/** The ids cited in the titles of all tests. */
function citedIds(): ReadonlySet<string> {
  const files = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', '*.test.ts', '*.test.tsx'],
    { cwd: ROOT },
  )
    .toString()
    .split('\n')
    .filter((file) => file !== '' && existsSync(join(ROOT, file)));
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
  const cited = citedIds();

  it('are each cited by a test, but for those that are for later', () => {
    const uncited = Object.keys(REQUIREMENTS).filter((id) => !cited.has(id));
    expect(uncited.filter((id) => !(LATER as readonly string[]).includes(id))).toEqual([]);
  });

  it('are the only ids that tests cite', () => {
    expect([...cited].filter((id) => !(id in REQUIREMENTS))).toEqual([]);
  });
});

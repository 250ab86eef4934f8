import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ROOT } from '../harness/tree-copy.js';
import { MUTANTS, type Mutant, PROVEN_BY_MUTANTS } from '../mutants.js';

function sourceOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The ids that the titles of a test file cite. */
function citedIn(text: string): ReadonlySet<string> {
  const cited = new Set<string>();
  for (const [citation] of text.matchAll(/\[[A-Z]{2}-\d+(?:, [A-Z]{2}-\d+)*\]/g)) {
    for (const [id] of citation.matchAll(/[A-Z]{2}-\d+/g)) cited.add(id);
  }
  return cited;
}

const named = MUTANTS.map((mutant): [string, Mutant] => [`${mutant.id}: ${mutant.what}`, mutant]);

/** That they are killed is for `npm run test:mutants`; here, that they still fit what they break. */
describe('the mutants', () => {
  it('break each requirement whose proof depends on them, and no other', () => {
    const broken = new Set(MUTANTS.map(({ id }) => id));
    expect([...broken].sort()).toEqual([...PROVEN_BY_MUTANTS].sort());
  });

  it.each(named)('%s: finds its place once, and changes it', (_name, { file, find, replace }) => {
    expect(sourceOf(file).split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
  });

  it.each(named)('%s: has a test that cites the requirement', (_name, { id, proof }) => {
    expect(citedIn(sourceOf(join(proof.workspace, proof.testFile)))).toContain(id);
  });

  it.each(named)('%s: breaks production code', (_name, { file }) => {
    expect(file).toMatch(/^(packages|apps)\/[a-z-]+\/src\//);
  });
});

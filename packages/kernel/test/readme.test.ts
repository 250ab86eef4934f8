import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

it('the example of the README runs and its checks hold', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code ?? '');
  expect(examples).toHaveLength(1);
  const folder = mkdtempSync(join(tmpdir(), 'runwire-readme-'));
  try {
    const file = join(folder, 'example.ts');
    writeFileSync(file, examples.join(''));
    await import(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROOT } from '../harness/tree-copy.js';

const COMPILER_OPTIONS = {
  target: 'es2022',
  lib: ['es2023', 'esnext.disposable', 'dom'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
};

const PACKAGES = readdirSync(join(ROOT, 'packages'));
const READMES = ['README.md', ...PACKAGES.map((name) => `packages/${name}/README.md`)];

const PAGES = [
  ...READMES,
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'PROTOCOL.md',
  'SECURITY.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

describe('the examples of the READMEs', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runwire-readme-'));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    const project = { compilerOptions: COMPILER_OPTIONS, include: ['*.ts'] };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(project));
    for (const readme of READMES) {
      const example = `${exampleOf(readme)}console.log('the end is reached');\n`;
      await writeFile(join(folder, `${fileOf(readme)}.ts`), example);
    }
  });

  afterAll(async () => await rm(folder, { recursive: true, force: true }));

  it('compile against the built packages', async () => {
    expect(await run([join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'], folder)).toBe('');
  });

  it.each(READMES)('run, and their checks hold: %s', async (readme) => {
    expect(await run([`${fileOf(readme)}.js`], folder)).toMatch(/the end is reached\n$/);
  });
});

describe('the documents', () => {
  it.each(PAGES)('lead to files that exist: %s', (page) => {
    const text = readFileSync(join(ROOT, page), 'utf8');
    const targets = [...text.matchAll(/\]\((?!https?:)([^)#|\s]+)[)#]/g)].map(([, target]) => target ?? '');
    expect(targets.filter((target) => !existsSync(join(ROOT, dirname(page), target)))).toEqual([]);
  });
});

/** The one TypeScript block of a README. */
function exampleOf(readme: string): string {
  const text = readFileSync(join(ROOT, readme), 'utf8');
  const examples = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code ?? '');
  expect([readme, examples.length]).toEqual([readme, 1]);
  return examples.join('');
}

/** A module name for the example of a README. */
function fileOf(readme: string): string {
  return readme.replaceAll('/', '-').replace(/\.md$/, '');
}

/** Runs a script with this Node; its output when it succeeds, an error with its output when not. */
function run(args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd }, (error, stdout, stderr) => {
      if (error === null) resolve(`${stdout}${stderr}`);
      else reject(new Error(`node ${args.join(' ')}\n${stdout}${stderr}`));
    });
  });
}

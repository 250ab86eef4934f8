import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { ROOT } from '../harness/tree-copy.js';

const COMPILER_OPTIONS = {
  target: 'es2023',
  lib: ['es2023', 'esnext.disposable'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
};

it('the example of the root README compiles and runs on the built packages, and its checks hold', async () => {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code ?? '');
  expect(examples).toHaveLength(1);
  const folder = await mkdtemp(join(tmpdir(), 'runwire-readme-'));
  try {
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    const project = { compilerOptions: COMPILER_OPTIONS, files: ['example.ts'] };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(project));
    await writeFile(join(folder, 'example.ts'), `${examples.join('')}console.log('the end is reached');\n`);
    expect(await run([join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'], folder)).toBe('');
    expect(await run(['example.js'], folder)).toBe('the end is reached\n');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it.each(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'PROTOCOL.md', 'SECURITY.md'])(
  'the links of %s lead to files that exist',
  async (name) => {
    const text = await readFile(join(ROOT, name), 'utf8');
    const targets = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, target]) => target ?? '');
    const missing = targets.filter((target) => !existsSync(join(ROOT, target)));
    expect(missing).toEqual([]);
  },
);

/** Runs a script with this Node; its output when it succeeds, an error with its output when not. */
function run(args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd }, (error, stdout, stderr) => {
      if (error === null) resolve(`${stdout}${stderr}`);
      else reject(new Error(`node ${args.join(' ')}\n${stdout}${stderr}`));
    });
  });
}

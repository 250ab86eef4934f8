import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A file of this package, compiled together with the sources it imports. */
export interface CompiledFile extends Disposable {
  readonly path: string;
}

/**
 * Compiles a file of `test/` and the sources below it into a folder of its own: a worker thread knows nothing
 * of jest's transform, and a clean clone has no `dist`.
 */
export function compileForWorker(file: string): CompiledFile {
  const folder = mkdtempSync(join(tmpdir(), 'runwire-ids-'));
  const scope = join(folder, 'node_modules', '@runwire');
  const packages = join(root, 'packages');
  mkdirSync(scope, { recursive: true });
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: {
        composite: false,
        incremental: false,
        declaration: false,
        declarationMap: false,
        sourceMap: false,
        // Types are another test's business.
        noCheck: true,
        types: [],
        rootDir: packages,
        outDir: scope,
        paths: { '@runwire/kernel': [join(packages, 'kernel/src/index.ts')] },
      },
      files: [join(packages, 'id-generation/test', file)],
    }),
  );
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
    stdio: 'pipe',
  });
  for (const name of ['kernel', 'id-generation']) {
    const manifest = JSON.stringify({ name: `@runwire/${name}`, type: 'module', exports: './src/index.js' });
    writeFileSync(join(scope, name, 'package.json'), manifest);
  }
  symlinkSync(join(root, 'node_modules/nanoid'), join(folder, 'node_modules/nanoid'), 'junction');
  return {
    path: join(scope, 'id-generation/test', file.replace(/\.ts$/, '.js')),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

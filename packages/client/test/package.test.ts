import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { CLIENT_DEFAULTS, CLIENT_ERROR_CODES } from '../src/index.js';

const here = dirname(fileURLToPath(import.meta.url));
const packages = join(here, '../..');
const readme = readFileSync(join(here, '../README.md'), 'utf8');

/** A chunk of a bundle. */
interface Chunk {
  readonly isEntry: boolean;
  readonly name: string;
  readonly code: string;
  readonly imports: readonly string[];
  readonly modules: readonly string[];
}

/** The sources as a browser gets them, bundled by a process of its own: the bundler is native code. */
function bundle(entry: string): readonly Chunk[] {
  const rolldown = pathToFileURL(createRequire(import.meta.url).resolve('rolldown')).href;
  const script = `
    import { rolldown } from ${JSON.stringify(rolldown)};
    const of = (path) => ${JSON.stringify(packages)} + '/' + path;
    const alias = {
      '@runwire/kernel': of('kernel/src/index.ts'),
      '@runwire/protocol/wire': of('protocol/src/wire/index.ts'),
    };
    const built = await rolldown({
      input: of('client/src/${entry}'),
      platform: 'browser',
      resolve: { alias, extensionAlias: { '.js': ['.ts', '.js'] } },
    });
    const { output } = await built.generate({ format: 'esm', minify: true });
    const chunks = output.map(({ isEntry, name, code, imports, modules }) => {
      const kept = Object.entries(modules).filter(([, { renderedLength }]) => renderedLength > 0);
      return { isEntry, name, code, imports, modules: kept.map(([path]) => path) };
    });
    console.log(JSON.stringify(chunks));
  `;
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
  );
}

/** Minified and compressed. */
function bytesOf({ code }: Chunk): number {
  return gzipSync(code, { level: 9 }).length;
}

const KIB = 1_024;

describe('the package', () => {
  it('is at most 12 KiB, minified and compressed, and the fallback, fetched where it is needed, 2 KiB', () => {
    const chunks = bundle('index.ts');
    const [main, fallback, ...others] = chunks;
    if (main === undefined || fallback === undefined) throw new Error('There is nothing to measure.');
    expect(others).toEqual([]);
    expect([main.isEntry, main.imports, fallback.isEntry, fallback.imports]).toEqual([true, [], false, []]);
    expect(main.modules.some((path) => path.endsWith('delivery.ts'))).toBe(true);
    expect(bytesOf(main)).toBeLessThanOrEqual(12 * KIB);
    expect(fallback.name).toBe('sse-socket');
    expect(bytesOf(fallback)).toBeLessThanOrEqual(2 * KIB);
  });

  it('holds no zod, nothing of Node, and nothing that only some of its users need', () => {
    const modules = bundle('index.ts').flatMap((chunk) => chunk.modules);
    expect(modules.filter((path) => /zod|schemas|node:|tabs\/|server-checks/.test(path))).toEqual([]);
    const [main] = bundle('index.ts');
    expect(main?.modules.filter((path) => /sse-|post-queue/.test(path))).toEqual([]);
  });

  it('has an entry for tabs of at most 6 KiB that needs no client', () => {
    const chunks = bundle('tabs/index.ts');
    expect(chunks).toHaveLength(1);
    expect(chunks.flatMap(({ modules }) => modules).some((path) => path.endsWith('client.ts'))).toBe(false);
    expect(chunks.map(bytesOf).every((bytes) => bytes <= 6 * KIB)).toBe(true);
  });

  it('has a README that names every error code and every option with a default', () => {
    const names = [...CLIENT_ERROR_CODES, ...Object.keys(CLIENT_DEFAULTS)];
    expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });
});

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

/** The sources as a browser gets them, bundled by a process of its own: the bundler is native code. */
function bundle(): { code: string; modules: string[] } {
  const rolldown = pathToFileURL(createRequire(import.meta.url).resolve('rolldown')).href;
  const script = `
    import { rolldown } from ${JSON.stringify(rolldown)};
    const of = (name) => ${JSON.stringify(packages)} + '/' + name + '/src/index.ts';
    const alias = Object.fromEntries(['kernel', 'protocol', 'id-generation'].map((n) => ['@runwire/' + n, of(n)]));
    const built = await rolldown({
      input: of('client'),
      platform: 'browser',
      resolve: { alias, extensionAlias: { '.js': ['.ts', '.js'] } },
    });
    const { output: [chunk] } = await built.generate({ format: 'esm', minify: true });
    const modules = Object.entries(chunk.modules).filter(([, { renderedLength }]) => renderedLength > 0);
    console.log(JSON.stringify({ code: chunk.code, modules: modules.map(([name]) => name) }));
  `;
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
  );
}

describe('the package', () => {
  it('is at most 12 KiB, minified and compressed, and holds no zod', () => {
    const { code, modules } = bundle();
    expect(modules.filter((name) => /zod|schemas|node:/.test(name))).toEqual([]);
    expect(modules.some((name) => name.endsWith('delivery.ts'))).toBe(true);
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(12 * 1_024);
  });

  it('has a README that names every error code and every option with a default', () => {
    const names = [...CLIENT_ERROR_CODES, ...Object.keys(CLIENT_DEFAULTS)];
    expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });
});

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// In a process of its own: the bundler's native part does not know the objects of jest's realm. It comes with
// the toolchain of the apps; this package does not depend on it.
const SCRIPT = `
  const { rolldown } = await import('rolldown');
  const { code, alias } = JSON.parse(process.argv[1]);
  const entry = {
    name: 'entry',
    resolveId: (id) => (id === 'entry' ? '\\0entry' : null),
    load: (id) => (id === '\\0entry' ? code : null),
  };
  const build = await rolldown({
    input: 'entry',
    platform: 'browser',
    resolve: { alias, extensionAlias: { '.js': ['.ts', '.js'] } },
    plugins: [entry],
  });
  const { output } = await build.generate({ minify: true });
  process.stdout.write(output[0].code);
`;

/** The minified browser bundle of `code`. */
function bundle(code: string): string {
  const alias = {
    '@runwire/protocol/wire': source('../src/wire/index.ts'),
    '@runwire/protocol': source('../src/index.ts'),
    '@runwire/kernel': source('../../kernel/src/index.ts'),
  };
  const argument = JSON.stringify({ code, alias });
  return execFileSync(process.execPath, ['--input-type=module', '-e', SCRIPT, argument], {
    cwd: source('.'),
    encoding: 'utf8',
  });
}

describe('a browser bundle', () => {
  it('of codes, limits and the fold has no zod and is small', () => {
    const names = 'LIMITS, CLOSE_CODES, closeAction, applyRunEvent, answerText, closeReasonRetryAfterMs';
    const code = bundle(`export { ${names} } from '@runwire/protocol';`);
    expect(code).toContain('resume-after-delay');
    expect(code).not.toMatch(/zod|safeParse/i);
    expect(code.length).toBeLessThan(8_000);
  }, 20_000);

  it('of reading frames by hand has no zod and is small', () => {
    const code = bundle(`export { isServerMessage, parseServerFrame } from '@runwire/protocol/wire';`);
    expect(code).toContain('connection_established');
    expect(code).not.toMatch(/zod|safeParse/i);
    expect(code.length).toBeLessThan(4_000);
  }, 20_000);

  it('of a decoder has zod, so the check above can fail', () => {
    const code = bundle(`export { decodeServerFrame } from '@runwire/protocol';`);
    expect(code).toMatch(/safeParse/);
    expect(code.length).toBeGreaterThan(30_000);
  }, 20_000);
});

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import {
  CLIENT_MESSAGE_SCHEMAS,
  CLOSE_CODES,
  ERROR_CODES,
  EVENT_SCHEMAS,
  PROTOCOL_ERROR_CODES,
  SERVER_MESSAGE_SCHEMAS,
} from '../src/index.js';

const here = dirname(fileURLToPath(import.meta.url));
const source = (path: string) => readFileSync(join(here, '..', path), 'utf8');

describe('the package', () => {
  it.each([
    'builders',
    'client-limits',
    'close-actions',
    'close-codes',
    'content',
    'encode',
    'error-codes',
    'events',
    'limits',
    'run-view',
    'subprotocol',
    'wire/index',
  ])('%s.ts reaches no zod, so that a browser bundle can do without it', (name) => {
    expect([...reachedFrom(`./${name}.js`)].filter((specifier) => specifier.includes('zod'))).toEqual([]);
  });

  it('decoding does reach zod, so the walk sees it', () => {
    expect(reachedFrom('./decode-client.js')).toContain('zod');
  });

  it('uses nothing of Node', () => {
    expect([...reachedFrom('./index.js')].filter((specifier) => /^node:|^id-gen/.test(specifier))).toEqual(
      [],
    );
    expect(reachedFrom('./index.js')).toContain('zod');
  });

  it('PROTOCOL.md names every message, event, error code and close code', () => {
    const text = source('PROTOCOL.md');
    const names = [CLIENT_MESSAGE_SCHEMAS, SERVER_MESSAGE_SCHEMAS, EVENT_SCHEMAS, ERROR_CODES]
      .flatMap((table) => Object.keys(table))
      .concat(Object.keys(CLOSE_CODES));
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
  });

  it('the README names every code it throws', () => {
    const text = source('README.md');
    expect(PROTOCOL_ERROR_CODES.filter((code) => !text.includes(code))).toEqual([]);
  });
});

/** Every module that a source file imports at run time, through relative imports. */
function reachedFrom(specifier: string, from = 'src', seen = new Set<string>()): ReadonlySet<string> {
  const path = join(from, specifier).replace(/\.js$/, '.ts');
  const imports = source(path).matchAll(/^(?:import|export) (?!type\b)[^;]*? from '([^']+)'/gms);
  for (const [, target = ''] of imports) {
    const key = target.startsWith('.') ? join(dirname(path), target) : target;
    if (seen.has(key)) continue;
    seen.add(key);
    if (target.startsWith('.')) reachedFrom(target, dirname(path), seen);
  }
  return seen;
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { compose } from '../support/composed.js';
import { tempDirectory } from '../support/temp-directory.js';

const HTML = { accept: 'text/html,application/xhtml+xml' };

async function withPage() {
  const directory = await tempDirectory();
  await mkdir(join(directory.path, 'assets'));
  await writeFile(join(directory.path, 'index.html'), '<title>Runwire</title>');
  await writeFile(join(directory.path, 'assets', 'app-4f2a.js'), 'export {};');
  const composed = await compose({ webDirectory: directory.path });
  return {
    ask: (url: string, headers: object = HTML) =>
      composed.router.app.inject({ method: 'GET', url, headers: { ...headers } }),
    async [Symbol.asyncDispose]() {
      await composed[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

describe('the page', () => {
  it('is served at every address of its own, and asked for each time', async () => {
    await using page = await withPage();
    for (const url of ['/', '/index.html', '/threads/some-thread', '/runs/1?tab=events', '/apiary']) {
      const answer = await page.ask(url);
      expect([url, answer.statusCode, answer.body]).toEqual([url, 200, '<title>Runwire</title>']);
      expect(answer.headers['cache-control']).toBe('no-cache');
    }
  });

  it('has files that are kept for ever, since a hash is in their names', async () => {
    await using page = await withPage();
    const answer = await page.ask('/assets/app-4f2a.js', {});
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(answer.headers['content-type']).toContain('javascript');
  });

  it('is no answer to the API, to a missing file, or to who wants no page', async () => {
    await using page = await withPage();
    const asked: readonly (readonly [string, object])[] = [
      ['/api/nothing', HTML],
      ['/auth/nothing', HTML],
      ['/health/nothing', HTML],
      ['/assets/app-old.js', {}],
      ['/threads/some-thread', { accept: 'application/json' }],
    ];
    for (const [url, headers] of asked) {
      const answer = await page.ask(url, headers);
      expect([url, answer.statusCode]).toEqual([url, 404]);
      expect(answer.json().error).toMatchObject({ code: 'NOT_FOUND', message: `There is no GET ${url}.` });
    }
  });

  it('gives away no file outside its folder', async () => {
    await using page = await withPage();
    for (const url of [
      '/../package.json',
      '/assets/../../package.json',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/..%2f..%2fetc/passwd',
    ]) {
      expect((await page.ask(url)).body).not.toMatch(/root:|"name"/);
    }
  });

  it('that is not built says what to do', async () => {
    await using composed = await compose();
    const answer = await composed.router.app.inject({ method: 'GET', url: '/', headers: HTML });
    expect(answer.statusCode).toBe(404);
    expect(answer.json().error.message).toContain('npm run build');
  });
});

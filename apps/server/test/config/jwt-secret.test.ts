import { spawn } from 'node:child_process';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { keptJwtSecret } from '../../src/config/jwt-secret.js';
import { tempDirectory } from '../support/temp-directory.js';

describe('the kept signing secret', () => {
  it('is made once, long enough, readable by its owner alone', async () => {
    await using directory = await tempDirectory();
    const data = join(directory.path, 'data');
    const secret = await keptJwtSecret(data);
    expect(secret.length).toBeGreaterThanOrEqual(32);
    await expect(keptJwtSecret(data)).resolves.toBe(secret);
    const { mode } = await stat(join(data, 'jwt-secret'));
    expect(mode & 0o777).toBe(0o600);
    await expect(readdir(data)).resolves.toEqual(['jwt-secret']);
  });

  it('differs between two data folders', async () => {
    await using one = await tempDirectory();
    await using other = await tempDirectory();
    expect(await keptJwtSecret(one.path)).not.toBe(await keptJwtSecret(other.path));
  });

  it('is one for all who make it at once, and whole for each', async () => {
    for (let round = 0; round < 20; round += 1) {
      await using directory = await tempDirectory();
      const secrets = await Promise.all(Array.from({ length: 20 }, () => keptJwtSecret(directory.path)));
      expect(new Set(secrets).size).toBe(1);
      await expect(readFile(join(directory.path, 'jwt-secret'), 'utf8')).resolves.toBe(secrets[0]);
    }
  });

  it('is never seen half made by another process', async () => {
    await using directory = await tempDirectory();
    const file = join(directory.path, 'jwt-secret');
    const others = [watchFirstSight(file), watchFirstSight(file)];
    await Promise.all(others.map(({ watching }) => watching));
    const secret = await keptJwtSecret(directory.path);
    for (const { seen } of others) await expect(seen).resolves.toBe(secret);
  });

  it('refuses a file that holds none, naming it', async () => {
    await using directory = await tempDirectory();
    const file = join(directory.path, 'jwt-secret');
    await writeFile(file, '');
    await expect(keptJwtSecret(directory.path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(file),
    });
  });
});

const READ_AT_FIRST_SIGHT = `
const { readFileSync } = require('node:fs');
process.stdout.write('watching\\n');
for (;;) {
  try {
    process.stdout.write(readFileSync(process.argv[1], 'utf8') + '.');
    break;
  } catch {}
}
`;

/** Another process that reads the file as soon as there is one. */
function watchFirstSight(file: string) {
  const child = spawn(process.execPath, ['-e', READ_AT_FIRST_SIGHT, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const watching = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      resolve();
    });
  });
  const seen = new Promise<string>((resolve) => {
    child.once('close', () => resolve(output.replace('watching\n', '').replace(/\.$/, '')));
  });
  return { watching, seen };
}

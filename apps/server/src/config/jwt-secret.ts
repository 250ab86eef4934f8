import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from './errors.js';

const MIN_SECRET_LENGTH = 32;

/**
 * Reads the signing secret kept in the data folder, or makes it there once, readable by its owner alone.
 * @throws ConfigError `CONFIG_INVALID` when the file holds no secret
 */
export async function keptJwtSecret(dataDirectory: string): Promise<string> {
  const file = join(dataDirectory, 'jwt-secret');
  await mkdir(dataDirectory, { recursive: true });
  await makeOnce(file);
  const secret = (await readFile(file, 'utf8')).trim();
  if (secret.length >= MIN_SECRET_LENGTH) return secret;
  throw new ConfigError(
    'CONFIG_INVALID',
    `${file} holds ${secret.length} characters, expected at least ${MIN_SECRET_LENGTH}: delete it to have a new secret made`,
  );
}

/** Written aside and linked into place: of two processes that start at once both see one whole secret. */
async function makeOnce(file: string): Promise<void> {
  const secret = randomBytes(48).toString('base64url');
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(aside, secret, { flag: 'wx', mode: 0o600 });
  try {
    await link(aside, file);
  } catch (error) {
    if (!isThere(error)) throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

function isThere(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST';
}

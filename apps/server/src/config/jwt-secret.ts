import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Reads the signing secret kept in the data folder, or makes it there once, readable by its owner alone. */
export async function keptJwtSecret(dataDirectory: string): Promise<string> {
  const file = join(dataDirectory, 'jwt-secret');
  await mkdir(dataDirectory, { recursive: true });
  try {
    // `wx`: of two processes that start at once only one makes it.
    const secret = randomBytes(48).toString('base64url');
    await writeFile(file, secret, { flag: 'wx', mode: 0o600 });
    return secret;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
    return await readFile(file, 'utf8');
  }
}

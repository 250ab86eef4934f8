import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadUws, PEERS_DIRECTORY } from './library.js';

const INSTALL = [
  'ci',
  '--prefix',
  PEERS_DIRECTORY,
  '--ignore-scripts',
  '--omit=optional',
  '--no-audit',
  '--no-fund',
];
const INSTALL_TIMEOUT_MS = 180_000;

/** Fetches the library once; undefined when it can be loaded, else why not, in one line. */
export function missingUws(): string | undefined {
  if (!existsSync(join(PEERS_DIRECTORY, 'node_modules'))) {
    const { status, stderr, error } = spawnSync('npm', INSTALL, {
      encoding: 'utf8',
      timeout: INSTALL_TIMEOUT_MS,
    });
    if (status !== 0) return `npm ci failed: ${firstLine(error?.message ?? stderr)}`;
  }
  try {
    loadUws();
    return undefined;
  } catch (cause) {
    return firstLine(cause instanceof Error ? cause.message : String(cause));
  }
}

function firstLine(text: string): string {
  const line = text.split('\n').find((candidate) => /error/i.test(candidate)) ?? text.split('\n')[0];
  return line?.trim() ?? '';
}

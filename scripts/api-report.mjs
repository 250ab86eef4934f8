// Checks (or with --local updates) the API report of each entry point of the package it is run in.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';

mkdirSync('etc', { recursive: true });
const configurations = readdirSync('.').filter((name) => /^api-extractor.*\.json$/.test(name));
for (const configuration of configurations) {
  const { status } = spawnSync('npx', ['--no-install', 'api-extractor', 'run', '-c', configuration, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

// Checks (or with --local updates) the API report of each entry point of the package it is run in.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

mkdirSync('etc', { recursive: true });
const configurations = readdirSync('.').filter((name) => /^api-extractor.*\.json$/.test(name));
for (const configuration of configurations) {
  const { status } = spawnSync(
    'npx',
    ['--no-install', 'api-extractor', 'run', '-c', configuration, ...process.argv.slice(2)],
    {
      stdio: 'inherit',
    },
  );
  if (status === 0) continue;
  // api-extractor says that something changed; this says what.
  const report = `${configuration.replace(/^api-extractor\.?|json$/g, '')}`.replace(/\.$/, '');
  const name = `${basename(process.cwd())}${report === '' ? '' : `-${report}`}.api.md`;
  spawnSync(
    'git',
    ['--no-pager', 'diff', '--no-index', '--unified=1', join('etc', name), join('temp', name)],
    {
      stdio: 'inherit',
    },
  );
  console.error(
    'If the change is meant: npm run api-update, and npx changeset to tell what it means to users.',
  );
  process.exit(status ?? 1);
}

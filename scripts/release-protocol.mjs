// Writes what a released version of the protocol promises: the JSON Schema of every message and the golden
// examples, with their checksums. A released version is never written again. Needs a built protocol package.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { messageJsonSchemas } from '../packages/protocol/dist/index.js';

const root = new URL('../', import.meta.url);
const folder = new URL('packages/protocol/', root);
const released = new URL('released/', folder);
const { version } = readJson(new URL('package.json', folder));

const files = {
  [`v${version}.json`]: { version, ...messageJsonSchemas() },
  [`examples-v${version}.json`]: goldenExamples(),
};

for (const name of Object.keys(files)) {
  if (existsSync(new URL(name, released))) {
    console.error(`packages/protocol/released/${name} exists. A released version is never written again.`);
    process.exit(1);
  }
}

mkdirSync(released, { recursive: true });
const list = new URL('checksums.json', released);
const checksums = existsSync(list) ? readJson(list) : {};
for (const [name, content] of Object.entries(files)) {
  writeFileSync(new URL(name, released), `${JSON.stringify(content, null, 2)}\n`);
  // Of the content and not of its layout, which belongs to the formatter.
  checksums[name] = createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
writeFileSync(list, `${JSON.stringify(checksums, null, 2)}\n`);
execFileSync(
  process.execPath,
  [
    fileURLToPath(new URL('node_modules/@biomejs/biome/bin/biome', root)),
    'format',
    '--write',
    fileURLToPath(released),
  ],
  {
    cwd: fileURLToPath(root),
    stdio: ['ignore', 'ignore', 'inherit'],
  },
);
console.log(`packages/protocol/released: v${version}`);

function goldenExamples() {
  const golden = new URL('test/golden/', folder);
  const names = readdirSync(golden).filter((name) => name.endsWith('.json'));
  return Object.fromEntries(
    names.sort().map((name) => [name.slice(0, -'.json'.length), readJson(new URL(name, golden))]),
  );
}

function readJson(url) {
  return JSON.parse(readFileSync(url, 'utf8'));
}

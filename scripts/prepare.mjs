// Makes a checkout able to run: the right Node, the dependencies of the lock file, a browser for the tests.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromiumPath } from '../tests/harness/chromium.mjs';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** One line that says what is being done. */
export function say(text) {
  console.log(`runwire: ${text}`);
}

/** Runs a program in the repository; ends this process with its exit code when it fails. */
export function must(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { cwd: ROOT, stdio: 'inherit', ...options });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(
    `runwire: Node ${process.versions.node} is too old: install Node 20.19 or newer (https://nodejs.org).`,
  );
  process.exit(1);
}

/** Installs the dependencies when there are none, or when the lock file has changed since. */
export function installDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  const stamp = join(ROOT, 'node_modules', '.runwire-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  say('installing the dependencies (npm ci); about half a minute the first time');
  must('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, lock);
}

/** Installs Chromium where that is possible without asking: Debian and its kin, as root. */
export function installChromium() {
  if (chromiumPath() !== undefined) return;
  const root = process.getuid?.() === 0;
  if (root && existsSync('/usr/bin/apt-get')) {
    say('installing Chromium for the browser tests (apt-get install chromium)');
    const quiet = { cwd: ROOT, stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
    spawnSync('apt-get', ['update'], quiet);
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], quiet);
  }
  if (chromiumPath() === undefined) {
    say(
      'no Chromium found, so the browser tests are skipped; to run them: apt-get install chromium, or set CHROMIUM_PATH',
    );
  }
}

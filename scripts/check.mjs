// `npm run check`: everything a reviewer wants to know, with one closing line that counts it.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, say } from './prepare.mjs';

const STEPS = [
  // First, because typed lint reads the declarations that packages are built to.
  ['build', 'turbo', ['run', 'build']],
  ['format, lint and import order', 'biome', ['check', '.']],
  ['typed lint', 'oxlint', ['--type-aware', '--deny-warnings']],
  ['layer boundaries', 'turbo', ['boundaries']],
  ['unused files, exports and dependencies', 'knip', []],
  ['one version of each dependency', 'sherif', []],
  [
    'types, unit tests, API reports, packages',
    'turbo',
    ['run', 'typecheck', 'test', 'api-check', 'pack-check'],
  ],
  ['integration, real sockets, contract gates, real browser', 'turbo', ['run', 'proof']],
];

const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };

const QUIET = ['--output-logs=errors-only', '--log-order=grouped'];

function run(program, args) {
  const quiet =
    program === 'turbo' && args[0] === 'run' ? [...QUIET, `--concurrency=${availableParallelism() + 1}`] : [];
  const { status } = spawnSync('npx', ['--no-install', program, ...args, ...quiet], {
    cwd: ROOT,
    stdio: 'inherit',
    env,
  });
  return status === 0;
}

/** The counts that each workspace's test run left behind. */
function testCounts() {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const workspaces = ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(ROOT, group)).map((name) => join(ROOT, group, name)),
  );
  const others = ['tests', 'tests/simulation', 'benchmarks'].map((name) => join(ROOT, name));
  for (const workspace of [...workspaces, ...others]) {
    const file = join(workspace, 'temp/test-results.json');
    if (!existsSync(file)) continue;
    const counts = JSON.parse(readFileSync(file, 'utf8'));
    for (const key of Object.keys(total)) total[key] += counts[key];
  }
  return total;
}

export function check() {
  const failed = [];
  for (const [what, program, args] of STEPS) {
    say(what);
    if (!run(program, args)) failed.push(what);
  }
  const tests = testCounts();
  for (const what of failed) console.error(`runwire: FAILED: ${what}`);
  // A failed test fails its step too: count each failure once, and a step that failed for another reason as one.
  const failures = Math.max(tests.failed, failed.length);
  const passed = tests.passed + STEPS.length - failed.length;
  console.log(`${passed} passed, ${failures} failed, ${tests.skipped} skipped`);
  const skippedInCi = tests.skipped > 0 && process.env.CI === 'true';
  return failed.length === 0 && tests.failed === 0 && !skippedInCi;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exit(check() ? 0 : 1);

// `npm run test:critical`: the failures of the system that Runwire replaces, by name, each with what excludes it
// here: real server processes, real sockets, real sign-in. Prints them as a table and one closing line of counts.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, say } from './prepare.mjs';

const HELP = `Usage: npm run test:critical -- [options]

  --only <text>    the tests whose title has this in it
  --help

Builds the server, then runs tests/critical. Exits with 1 when a test fails or is skipped. With --only, what was not
asked for is not counted.`;

const TESTS = join(ROOT, 'tests');
const RESULTS = join(TESTS, 'temp/critical-results.json');
const TEST_TIMEOUT_MS = 60_000;
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };

function build() {
  say('build');
  const args = [
    '--no-install',
    'turbo',
    'run',
    'build',
    '--filter=@runwire/server',
    '--output-logs=errors-only',
  ];
  const { status } = spawnSync('npx', args, { cwd: ROOT, stdio: 'inherit', env });
  if (status !== 0) throw new Error('The build failed.');
}

/** Runs the tests, and gives jest's own results. */
function runTests(only) {
  say('critical');
  mkdirSync(join(TESTS, 'temp'), { recursive: true });
  rmSync(RESULTS, { force: true });
  const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
  const config = ['-c', join(ROOT, 'jest.config.mjs'), '--rootDir', '.', '--runInBand'];
  const match = ['--testMatch=<rootDir>/critical/**/*.test.ts', `--testTimeout=${TEST_TIMEOUT_MS}`];
  const order = '--testSequencer=<rootDir>/critical/in-order.mjs';
  const report = ['--json', `--outputFile=${RESULTS}`, '--reporters=default'];
  const chosen = only === undefined ? [] : ['-t', only.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')];
  const args = ['--experimental-vm-modules', jest, ...config, ...match, order, ...report, ...chosen];
  // Failures are told on standard error; the JSON on standard output is that of the file.
  spawnSync('node', args, { cwd: TESTS, stdio: ['ignore', 'ignore', 'inherit'], env });
  return JSON.parse(readFileSync(RESULTS, 'utf8'));
}

/** One row for each test. Titles say `[ids] failure: what excludes it`. */
function rowsOf({ testResults }) {
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(({ title, status, duration }) => {
      const [, ids = '', failure = title] = /^\[(.*?)\] (.*?): /.exec(title) ?? [];
      const by = ids.split(', ').filter((id) => id !== 'QA-1');
      return { failure, by: by.join(' '), status, ms: Math.round(duration ?? 0) };
    }),
  );
}

function tableOf(rows) {
  const lines = [
    ['Failure', 'Excluded by', 'ms', ''],
    ...rows.map(({ failure, by, ms, status }) => [failure, by, String(ms), MARKS[status] ?? status]),
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((cells) => cells[column].length)));
  const cell = (text, column) =>
    column === NUMBERS ? text.padStart(widths[column]) : text.padEnd(widths[column]);
  return lines.map((cells) => cells.map(cell).join('  ').trimEnd()).join('\n');
}

const NUMBERS = 2;
const MARKS = { passed: '', failed: 'FAILED' };

function main() {
  const options = { only: { type: 'string' }, help: { type: 'boolean', short: 'h' } };
  const { values } = parseArgs({ options });
  if (values.help) {
    console.log(HELP);
    return true;
  }
  build();
  const results = runTests(values.only);
  const ran = rowsOf(results).filter(({ status }) => values.only === undefined || status !== 'pending');
  const count = (status) => ran.filter((row) => row.status === status).length;
  const [passed, failed] = [count('passed'), count('failed') + results.numRuntimeErrorTestSuites];
  const skipped = ran.length - count('passed') - count('failed');
  console.log(`\n${tableOf(ran)}\n`);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return failed === 0 && skipped === 0 && passed > 0;
}

process.exit(main() ? 0 : 1);

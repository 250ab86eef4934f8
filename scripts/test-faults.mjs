// `npm run test:faults`: everything that can go wrong around a server and its clients, with real processes and
// sockets, and the audit of every event. Prints a table, and a whole run writes it into docs/reliability.md.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, say } from './prepare.mjs';

const HELP = `Usage: npm run test:faults -- [options]

  --only <text>    the rows whose fault or point has this in it
  --rounds <n>     rounds of each row, instead of its own number
  --help

Prints a line for each row, exits with 1 when one of them failed. A run of all rows, with their own rounds, writes
the table into docs/reliability.md.`;

/** Rows that measure how fast something is have the machine to themselves. */
const ALONE = 'faults/(readers|log-size)';
const TESTS = join(ROOT, 'tests');
const TEMP = join(TESTS, 'temp');
const ROWS = join(TEMP, 'fault-rows.jsonl');
const DOCUMENT = join(ROOT, 'docs/reliability.md');
const BEGIN = '<!-- faults: this table is written by npm run test:faults -->';
const END = '<!-- faults: end -->';
const TEST_TIMEOUT_MS = 240_000;
/** As a shell has it for Ctrl+C. */
const INTERRUPTED = 130;
const COLUMNS = [
  'Fault',
  'Point',
  'Rounds',
  'Events',
  'Lost',
  'Duplicated',
  'Reordered',
  'Foreign',
  'Healed in: median, longest',
  'Result',
];

function build() {
  say('build');
  const args = ['--no-install', 'turbo', 'run', 'build', '--output-logs=errors-only'];
  const filters = ['--filter=@runwire/server', '--filter=@runwire/web'];
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };
  const { status } = spawnSync('npx', [...args, ...filters], { cwd: ROOT, stdio: 'inherit', env });
  if (status !== 0) throw new Error('The build failed.');
}

/** Runs test files, and settles with jest's own results of each test. */
async function runFiles(name, select, { only, rounds }) {
  const results = join(TEMP, `fault-results-${name}.json`);
  rmSync(results, { force: true });
  const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
  const config = ['-c', join(ROOT, 'jest.config.mjs'), '--rootDir', '.'];
  const match = ['--testMatch=<rootDir>/faults/**/*.test.ts', `--testTimeout=${TEST_TIMEOUT_MS}`];
  const report = ['--json', `--outputFile=${results}`, '--silent', '--reporters=default'];
  const chosen = only === undefined ? [] : ['-t', only.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')];
  const args = ['--experimental-vm-modules', jest, ...config, ...match, ...select, ...report, ...chosen];
  const env = {
    ...process.env,
    FAULT_RESULTS: ROWS,
    ...(rounds === undefined ? {} : { FAULT_ROUNDS: rounds }),
  };
  // A group of its own, so that nothing of it is left behind when this is interrupted.
  const child = spawn('node', args, {
    cwd: TESTS,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  });
  // What was measured so far is no run: no table of it, and nothing written down.
  const stop = () => {
    process.kill(-child.pid, 'SIGTERM');
    process.exit(INTERRUPTED);
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  await new Promise((resolve) => child.once('close', resolve));
  process.off('SIGINT', stop).off('SIGTERM', stop);
  if (!existsSync(results))
    return [
      { title: `the tests of ${name}`, status: 'failed', failureMessages: ['They ended without results.'] },
    ];
  const { testResults } = JSON.parse(readFileSync(results, 'utf8'));
  // Whichever file was done first: rows keep their places from run to run.
  const files = testResults.sort((a, b) => (a.name < b.name ? -1 : 1));
  return files.flatMap(({ assertionResults, message, name: file }) =>
    assertionResults.length === 0
      ? [{ title: file, status: 'failed', failureMessages: [message] }]
      : assertionResults,
  );
}

/** One row for each test that ran: its own, or what is known of a test that left none. */
function rowsOf(tests) {
  const written = existsSync(ROWS)
    ? readFileSync(ROWS, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
    : [];
  return tests
    .filter(({ status }) => status === 'passed' || status === 'failed')
    .map(({ title, status, failureMessages, duration }) => {
      const name = title.replace(/^\[[^\]]*\] /, '');
      const row = written.find(({ fault, point }) => `${fault}: ${point}` === name) ?? {
        fault: name,
        point: '',
        notes: [],
      };
      const failure = status === 'failed' ? (row.failure ?? failureMessages?.[0] ?? 'it failed') : undefined;
      return { ...row, failure, seconds: Math.round((duration ?? 0) / 1_000) };
    });
}

function isClean({ failure, lost = 0, duplicated = 0, reordered = 0, foreign = 0 }) {
  return failure === undefined && lost + duplicated + reordered + foreign === 0;
}

function cellsOf(row) {
  const {
    fault,
    point,
    rounds,
    events,
    lost,
    duplicated,
    reordered,
    foreign,
    healMs = [],
    notes,
    failure,
  } = row;
  const count = (value) => (value === undefined ? '–' : String(value));
  const sorted = [...healMs].sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  const healed = median === undefined ? '–' : `${inSeconds(median)}, ${inSeconds(sorted.at(-1))}`;
  const result =
    failure === undefined ? ['survived', ...notes].join('; ') : `**FAILED**: ${firstLine(failure)}`;
  const counts = [rounds, events, lost, duplicated, reordered, foreign].map(count);
  return [fault, point, ...counts, healed, result].map((cell) => cell.replaceAll('|', '\\|'));
}

function inSeconds(ms) {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function firstLine(text) {
  return text
    .split('\n')[0]
    .replace(/^(Error|SuppressedError): /, '')
    .slice(0, 200);
}

function tableOf(rows) {
  const lines = [COLUMNS, ...rows.map(cellsOf)];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((cells) => [...cells[column]].length), 3));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(COLUMNS), rule, ...rows.map((row) => line(cellsOf(row)))].join('\n');
}

function summaryOf(rows, seconds) {
  const sum = (name) => rows.reduce((total, row) => total + (row[name] ?? 0), 0);
  const failed = rows.filter((row) => !isClean(row)).length;
  const faults = ['lost', 'duplicated', 'reordered', 'foreign']
    .map((name) => `${sum(name)} ${name}`)
    .join(', ');
  const run = `${rows.length} rows, ${sum('rounds')} rounds, ${sum('events')} events delivered: ${faults}; ${failed} rows failed.`;
  const place = `Node ${process.version}, ${availableParallelism()} CPU cores, ${(seconds / 60).toFixed(1)} minutes.`;
  return `${run} ${place}`;
}

function writeDocument(rows, summary) {
  const text = readFileSync(DOCUMENT, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin === -1 || end < begin)
    throw new Error(`${DOCUMENT} has no place for the table: ${BEGIN} … ${END}`);
  const table = `${BEGIN}\n\n${summary}\n\n${tableOf(rows)}\n\n`;
  writeFileSync(DOCUMENT, text.slice(0, begin) + table + text.slice(end));
  spawnSync('npx', ['--no-install', 'biome', 'format', '--write', DOCUMENT], { cwd: ROOT, stdio: 'ignore' });
}

async function main() {
  const options = {
    only: { type: 'string' },
    rounds: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  };
  const { values } = parseArgs({ options });
  if (values.help) {
    console.log(HELP);
    return true;
  }
  if (values.rounds !== undefined && !/^[1-9]\d*$/.test(values.rounds)) {
    throw new Error(`--rounds: expected a whole number from 1 on, got "${values.rounds}"`);
  }
  const sinceMs = performance.now();
  build();
  mkdirSync(TEMP, { recursive: true });
  rmSync(ROWS, { force: true });
  say('faults');
  const tests = [
    ...(await runFiles('together', ['--maxWorkers=2', `--testPathIgnorePatterns=${ALONE}`], values)),
    ...(await runFiles('alone', ['--runInBand', `--testPathPatterns=${ALONE}`], values)),
  ];
  const rows = rowsOf(tests);
  const summary = summaryOf(rows, (performance.now() - sinceMs) / 1_000);
  console.log(`\n${tableOf(rows)}\n\n${summary}`);
  if (rows.length === 0) throw new Error('No row was run.');
  const isWhole = values.only === undefined && values.rounds === undefined;
  if (isWhole) writeDocument(rows, summary);
  return rows.every(isClean);
}

process.exit(
  await main().then(
    (isPassed) => (isPassed ? 0 : 1),
    (error) => {
      console.error(`test:faults: ${error.message}`);
      return 1;
    },
  ),
);

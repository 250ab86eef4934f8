// `npm run test:mutants`: breaks production code in copies of the tree, one break at a time, and fails unless a
// test that cites the broken requirement fails.
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import { copyTree, ROOT } from '../tests/harness/tree-copy.mjs';

const HELP = `Usage: npm run test:mutants -- [id]

  id        the mutants of one requirement, such as BR-4
  --help

Applies the breaks of tests/mutants.ts one by one in copies of the tree. Exits with 1 when one of them survives.`;

/** Copies that are broken side by side; with more of them the tests with servers would get too little time. */
const MAX_WORKERS = 2;
/** For tests with servers: a break shows as an answer that never comes. */
const SERVER_TEST_TIMEOUT_MS = 60_000;
const RESULTS = 'temp/mutant-results.json';

/** The data are TypeScript; all they import are types. */
async function loadMutants() {
  const source = readFileSync(join(ROOT, 'tests/mutants.ts'), 'utf8');
  const { code } = transformSync(source, { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' } });
  const { MUTANTS } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  return MUTANTS;
}

/** The titles that cite an id, as `--testNamePattern` takes it. */
function citing(id) {
  return `\\[(.*, )?${id}[,\\]]`;
}

/** Runs the tests of a proof that cite the id. `broken` says why they could not run. */
async function runProof(copy, { id, proof: { workspace, testFile } }) {
  const results = join(copy.directory, workspace, RESULTS);
  await rm(results, { force: true });
  const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
  // A cache of its own: nobody could use what it has of a copy that is gone.
  const cache = `--cacheDirectory=${join(copy.directory, 'temp/jest')}`;
  const config = ['-c', join(copy.directory, 'jest.config.mjs'), '--rootDir', '.', cache];
  const select = ['--testMatch=**/*.test.ts', '--runTestsByPath', testFile, '-t', citing(id)];
  const patience = workspace === 'tests' ? [`--testTimeout=${SERVER_TEST_TIMEOUT_MS}`] : [];
  const report = ['--runInBand', '--json', `--outputFile=${RESULTS}`];
  const args = ['--experimental-vm-modules', jest, ...config, ...select, ...patience, ...report];
  const { output } = await copy.run('node', args, workspace);
  let suites;
  try {
    suites = JSON.parse(readFileSync(results, 'utf8')).testResults;
  } catch {
    return { broken: `the run ended without results:\n${output}` };
  }
  const ran = suites.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'passed' || status === 'failed'),
  );
  const failed = ran.filter(({ status }) => status === 'failed');
  const [suite] = suites.filter(({ status }) => status === 'failed');
  if (suite !== undefined && failed.length === 0) {
    return { broken: `the tests could not run:\n${suite.message}` };
  }
  if (ran.length === 0) return { broken: `no test of ${workspace}/${testFile} cites ${id}` };
  return { ran: ran.length, failed: failed.length, messages: failed.flatMap((test) => test.failureMessages) };
}

/** Mutants with the same proof, which is tried once before anything is broken; those with servers come first. */
function groupsOf(mutants) {
  const groups = new Map();
  for (const mutant of mutants) {
    const { id, proof } = mutant;
    const key = `${id} ${proof.workspace}/${proof.testFile}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [mutant]);
    else group.push(mutant);
  }
  // What takes long is begun early, so that no worker is left alone with it.
  const isSlow = ([{ proof }]) => (proof.workspace === 'tests' ? 0 : 1);
  return [...groups.values()].sort((a, b) => isSlow(a) - isSlow(b));
}

/** What is wrong with a proof in the untouched copy; undefined when it holds. */
async function objectionTo(copy, mutant) {
  // Also what was built of the mutant before goes.
  const build = await copy.run('tsc', ['-b']);
  if (build.code !== 0) throw new Error(`The untouched copy does not compile:\n${build.output}`);
  const { broken, failed, messages } = await runProof(copy, mutant);
  return broken ?? (failed > 0 ? `its tests fail without it:\n${messages.join('\n')}` : undefined);
}

/** Applies a mutant, runs its proof and undoes it. */
async function tryMutant(copy, mutant) {
  const { file, find, replace } = mutant;
  const found = readFileSync(join(copy.directory, file), 'utf8').split(find).length - 1;
  if (found !== 1) return { broken: `${file} has ${found} places like it, expected 1` };
  const undo = await copy.edit(file, find, replace);
  try {
    const build = await copy.run('tsc', ['-b']);
    if (build.code !== 0) return { broken: `it does not compile:\n${build.output}` };
    return await runProof(copy, mutant);
  } finally {
    await undo();
  }
}

/** One line for a mutant; true when it was killed. */
function report({ id, what }, outcome, sinceMs) {
  const seconds = `${((performance.now() - sinceMs) / 1_000).toFixed(1)} s`;
  if (outcome.broken !== undefined) console.log(`NO PROOF ${id}: ${what} (${outcome.broken.trim()})`);
  else if (outcome.failed === 0)
    console.log(`SURVIVED ${id}: ${what} (${outcome.ran} tests passed, ${seconds})`);
  else console.log(`killed ${id}: ${what} (${outcome.failed} of ${outcome.ran} tests failed, ${seconds})`);
  return outcome.broken === undefined && outcome.failed > 0;
}

/** Takes groups of mutants until there are none, in a copy of its own. Returns how many were killed. */
async function work(copy, groups) {
  let killed = 0;
  for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
    const objection = await objectionTo(copy, group[0]);
    for (const mutant of group) {
      const sinceMs = performance.now();
      const outcome = objection === undefined ? await tryMutant(copy, mutant) : { broken: objection };
      if (report(mutant, outcome, sinceMs)) killed += 1;
    }
  }
  return killed;
}

/** Returns how many were killed. When a worker fails, the others finish what they are at. */
async function testMutants(copies, mutants) {
  const groups = groupsOf(mutants);
  const workers = await Promise.allSettled(
    copies.map((copy) =>
      work(copy, groups).catch((error) => {
        groups.length = 0;
        throw error;
      }),
    ),
  );
  const failure = workers.find(({ status }) => status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return workers.reduce((killed, { value }) => killed + value, 0);
}

async function main(wanted) {
  if (wanted === '--help' || wanted === '-h') {
    console.log(HELP);
    return true;
  }
  const all = await loadMutants();
  const mutants = all.filter(({ id }) => wanted === undefined || id === wanted);
  if (mutants.length === 0) throw new Error(`No mutant breaks ${wanted}; see tests/mutants.ts.`);
  const copies = [];
  const remove = () => Promise.all(copies.map((copy) => copy[Symbol.asyncDispose]()));
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => void remove().then(() => process.exit(1)));
  try {
    const workers = Math.min(MAX_WORKERS, availableParallelism(), groupsOf(mutants).length);
    while (copies.length < workers) copies.push(await copyTree());
    const killed = await testMutants(copies, mutants);
    const survived = mutants.length - killed;
    console.log(`${killed} passed, ${survived} failed, ${all.length - mutants.length} skipped`);
    return survived === 0;
  } finally {
    await remove();
  }
}

process.exit((await main(process.argv[2])) ? 0 : 1);

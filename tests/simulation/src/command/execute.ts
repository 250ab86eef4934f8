import { readFileSync } from 'node:fs';
import { explain, type SeedFailure } from '../campaign.js';
import { generatePlan } from '../generate.js';
import type { Plan } from '../plan.js';
import { addRegression, readRegressions } from '../regressions.js';
import type { Command } from './command-line.js';
import { runInWorkers } from './workers.js';

type Campaign = Extract<Command, { readonly kind: 'campaign' }>;
type Replay = Extract<Command, { readonly kind: 'replay' }>;

/** Does what was asked for; settles to the exit code. */
export async function execute(command: Exclude<Command, { readonly kind: 'help' }>): Promise<number> {
  switch (command.kind) {
    case 'campaign':
      return await campaign(command);
    case 'replay':
      return await replay(command);
    case 'kept':
      return await replayKept();
  }
}

async function replayKept(): Promise<number> {
  const regressions = readRegressions();
  let failing = 0;
  for (const { found, plan } of regressions) {
    const { violation } = await explain(plan, { shrinks: false });
    if (violation === undefined) continue;
    failing += 1;
    print(`Seed ${plan.seed}: ${violation.invariant}: ${violation.message}\n  Found before: ${found}`);
  }
  print(`${regressions.length} plans that were kept, ${failing} failing`);
  return failing === 0 ? 0 : 1;
}

async function campaign(command: Campaign): Promise<number> {
  const sinceMs = performance.now();
  // What is loaded late goes through the hooks of a mutant, which take time of the host's.
  const task = { ...command, hasStreams: command.mutant === undefined };
  const report = await runInWorkers(task, progressPrinter(command));
  const { failures, tally, repeated, seeds, steps, virtualMs } = report;
  const ms = performance.now() - sinceMs;
  if (command.tallies)
    for (const [what, times] of tally.entries()) print(`${String(times).padStart(9)}  ${what}`);
  print(
    `${seeds} seeds, ${failures.length} failing; ${repeated} of them twice, with equal traces; ` +
      `${Math.round(virtualMs / 3_600_000)} simulated hours, ${steps} steps, ${(ms / seeds).toFixed(1)} ms a seed`,
  );
  const [first] = failures;
  if (first === undefined) return 0;
  for (const line of summary(failures)) print(line);
  await show(generatePlan(first.seed), command.shrinks);
  print(`\nOnce more: npm run simulate -- --seed ${first.seed}`);
  return 1;
}

async function replay({ keep, shrinks, source }: Replay): Promise<number> {
  const plan =
    'seed' in source ? generatePlan(source.seed) : (JSON.parse(readFileSync(source.file, 'utf8')) as Plan);
  const shown = await show(plan, shrinks);
  if (keep !== undefined) addRegression({ found: keep, plan: shown.plan });
  return shown.violation === undefined ? 0 : 1;
}

/** Prints a plan and its trace. */
async function show(plan: Plan, shrinks: boolean): Promise<Awaited<ReturnType<typeof explain>>> {
  const explanation = await explain(plan, { shrinks });
  const { violation, trace, tries } = explanation;
  if (tries > 0) print(`\nSeed ${plan.seed}, made smaller in ${tries} tries:`);
  print(`\n${JSON.stringify(explanation.plan)}\n`);
  print(trace);
  if (violation === undefined) print('\nEvery promise was kept.');
  else
    print(
      `\nBroken at ${(violation.atMs / 1_000).toFixed(4)} s: ${violation.invariant}: ${violation.message}`,
    );
  return explanation;
}

/** One line for each promise that was broken, with some of the seeds. */
function summary(failures: readonly SeedFailure[]): readonly string[] {
  const invariants = [...new Set(failures.map(({ violation }) => violation.invariant))];
  return invariants.map((invariant) => {
    const group = failures.filter(({ violation }) => violation.invariant === invariant);
    const seeds = group.slice(0, MAX_SEEDS_SHOWN).map(({ seed }) => seed);
    const more = group.length > seeds.length ? ' …' : '';
    return `  ${invariant}: ${group.length} (${seeds.join(' ')}${more}), like ${group[0]?.violation.message}`;
  });
}

const MAX_SEEDS_SHOWN = 8;
const PROGRESS_MS = 10_000;

/** Tells of each failing seed at once, and now and then how far a long campaign is. */
function progressPrinter({ seeds }: Campaign): (failure: SeedFailure | undefined) => void {
  let done = 0;
  let failed = 0;
  let printedMs = performance.now();
  return (failure) => {
    done += 1;
    if (failure !== undefined) {
      failed += 1;
      print(`seed ${failure.seed}: ${failure.violation.invariant}: ${failure.violation.message}`);
    }
    if (performance.now() - printedMs < PROGRESS_MS) return;
    printedMs = performance.now();
    print(`${done} of ${seeds} seeds, ${failed} failing`);
  };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

import type { Violation } from './audit/verdicts.js';
import { generatePlan, withoutStreams } from './generate.js';
import type { Plan } from './plan.js';
import { runPlan } from './run-plan.js';
import { shrinkPlan } from './shrink.js';
import { Tally } from './tally.js';
import { warmUp } from './warm-up.js';

/** Which seeds to run. */
export interface CampaignOptions {
  readonly from: number;
  readonly seeds: number;
  /** Stops with the first failing seed. */
  readonly stopsAtFirst: boolean;
  /** Seeds are invented with what clients need, or for WebSockets alone. */
  readonly hasStreams: boolean;
  /** Called after each seed. */
  readonly onSeed?: (failure: SeedFailure | undefined) => void;
}

/** A seed that broke a promise. */
export interface SeedFailure {
  readonly seed: string;
  readonly violation: Violation;
}

/** What came of a campaign. */
export interface CampaignReport {
  readonly seeds: number;
  readonly steps: number;
  readonly virtualMs: number;
  /** Seeds that were run twice, with equal traces. */
  readonly repeated: number;
  readonly failures: readonly SeedFailure[];
  readonly tally: Tally;
}

/** Every so many seeds one is run twice. */
const REPEAT_EVERY = 100;
const MAX_TRIES = 500;

/** Runs seeds one after the other. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const { from, seeds, stopsAtFirst, hasStreams, onSeed } = options;
  await warmUp();
  const failures: SeedFailure[] = [];
  const tally = new Tally();
  let report = { seeds: 0, steps: 0, virtualMs: 0, repeated: 0 };
  for (let number = from; number < from + seeds; number += 1) {
    const seed = String(number);
    const repeats = number % REPEAT_EVERY === 0;
    const plan = hasStreams ? generatePlan(seed) : withoutStreams(generatePlan(seed));
    const { failure, outcome } = await runSeed(plan, repeats);
    tally.add(outcome.tally);
    report = {
      seeds: report.seeds + 1,
      steps: report.steps + outcome.steps,
      virtualMs: report.virtualMs + outcome.virtualMs,
      repeated: report.repeated + (repeats ? 1 : 0),
    };
    onSeed?.(failure);
    if (failure === undefined) continue;
    failures.push(failure);
    if (stopsAtFirst) break;
  }
  return { ...report, failures, tally };
}

async function runSeed(plan: Plan, repeats: boolean) {
  const { seed } = plan;
  const outcome = await runPlan(plan);
  let { violation } = outcome;
  if (repeats && (await runPlan(plan)).hash !== outcome.hash) {
    violation ??= { invariant: 'determinism', message: 'two runs of the seed differ', atMs: 0 };
  }
  return { outcome, failure: violation === undefined ? undefined : { seed, violation } };
}

/** A plan that fails, made small, with the trace of its run. */
export interface Explanation {
  readonly plan: Plan;
  readonly violation: Violation | undefined;
  readonly trace: string;
  readonly tries: number;
}

/** Makes a failing plan as small as it goes without breaking another promise than it did, and traces it. */
export async function explain(plan: Plan, options: { readonly shrinks: boolean }): Promise<Explanation> {
  await warmUp();
  const { violation } = await runPlan(plan);
  const fails = async (candidate: Plan): Promise<boolean> =>
    (await runPlan(candidate)).violation?.invariant === violation?.invariant;
  const shrinks = options.shrinks && violation !== undefined;
  const shrunk = shrinks ? await shrinkPlan(plan, fails, MAX_TRIES) : { plan, tries: 0 };
  const outcome = await runPlan(shrunk.plan, { keepTrace: true });
  return { ...shrunk, violation: outcome.violation, trace: outcome.trace.format() };
}

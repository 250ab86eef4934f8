import { readFile, writeFile } from 'node:fs/promises';
import { runCampaign } from '../harness/campaign.js';
import { schedule } from '../harness/schedule.js';
import { type Comparison, compareWithBaseline, type Ratios, TOLERANCE } from '../report/guard.js';
import { formatNumber } from '../report/numbers.js';
import type { Sample } from '../report/sample.js';
import { deliveryFaults } from '../report/sample.js';
import { summarize } from '../report/statistics.js';
import { pairedRatios } from '../report/table.js';
import { WORKLOADS } from '../workloads/catalog.js';
import { DEFAULT_ROUNDS } from './command-line.js';
import { BASELINE_FILE } from './folders.js';
import { INTERRUPTED, print, printSample } from './output.js';

/** What is compared: processor time of the server, which is the steadiest of all numbers. */
const KEY = 'serverCpuMicros';
const OURS = 'runwire';
/** The workloads, and with whom Runwire is compared in each. */
const GUARDED: Readonly<Record<string, string>> = {
  A1: 'ws',
  A2: 'ws',
  A3: 'ws',
  A4: 'ws',
  D: 'ws',
  E2: 'ws-ring',
};

/** Compares the ratios of Runwire with the baseline, or writes it; settles to the exit code. */
export async function guardCommand(
  { update }: { readonly update: boolean },
  signal: AbortSignal,
): Promise<number> {
  const baseline = update ? {} : await readBaseline();
  if (baseline === undefined) {
    print('There is no baseline.json to compare with: write one with npm run bench:guard -- --update');
    return 1;
  }
  const ratios = await measureRatios(signal);
  if (signal.aborted) return INTERRUPTED;
  if (update) {
    await writeFile(BASELINE_FILE, `${JSON.stringify(ratios, null, 2)}\n`);
    print(`Written: ${BASELINE_FILE}`);
    return 0;
  }
  const comparisons = compareWithBaseline(ratios, baseline);
  for (const comparison of comparisons) print(describe(comparison));
  return comparisons.some(({ failed }) => failed) ? 1 : 0;
}

async function readBaseline(): Promise<Ratios | undefined> {
  try {
    const baseline: Ratios = JSON.parse(await readFile(BASELINE_FILE, 'utf8'));
    return baseline;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cause;
  }
}

async function measureRatios(signal: AbortSignal): Promise<Ratios> {
  const ratios: Record<string, number> = {};
  for (const [name, peer] of Object.entries(GUARDED)) {
    const { entries } = await schedule(
      WORKLOADS.filter((workload) => workload.name === name),
      [peer, OURS],
    );
    const samples: Sample[] = [];
    const onSample = (sample: Sample): void => {
      printSample(sample);
      samples.push(sample);
    };
    await runCampaign({ entries, rounds: DEFAULT_ROUNDS, signal, onSample });
    const of = (contestant: string): readonly Sample[] =>
      samples.filter((sample) => sample.contestant === contestant && isSound(sample));
    const ratio = summarize(pairedRatios(KEY, of(OURS), of(peer)));
    if (ratio !== undefined) ratios[name] = Number(ratio.median.toFixed(3));
  }
  return ratios;
}

/** A run that loses, reorders or merges anything says nothing about cost. */
function isSound(sample: Sample): boolean {
  return sample.failure === undefined && deliveryFaults(sample, { merges: false }).length === 0;
}

function describe({ workload, ratio, baseline, change, failed }: Comparison): string {
  const peer = GUARDED[workload] ?? '';
  const against = baseline === undefined ? 'nothing' : `${formatNumber(baseline)} ×`;
  const verdict = failed ? `FAILED (allowed: +${TOLERANCE * 100} %)` : 'ok';
  const by = change === undefined ? '' : `, ${change < 0 ? '' : '+'}${(change * 100).toFixed(0)} %`;
  return `${workload}: ${formatNumber(ratio)} × ${peer}, baseline ${against}${by}: ${verdict}`;
}

import { contestantOf } from '../contestants/catalog.js';
import type { TakenProfile } from '../harness/campaign.js';
import { formatNumber } from '../report/numbers.js';
import { deliveryFaults, type Sample } from '../report/sample.js';

/** Exit code of a run that was interrupted. */
export const INTERRUPTED = 130;

const TOP_FRAMES = 25;

/** Writes one line, or several, to standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One run in one line, as it ends. */
export function printSample(sample: Sample): void {
  const { workload, contestant, round, metrics, failure } = sample;
  const numbers = Object.entries(metrics).map(([key, value]) => `${key} ${formatNumber(value)}`);
  const faults = deliveryFaults(sample, contestantOf(contestant));
  const what = [failure?.split('\n')[0] ?? numbers.join('  '), ...faults].join('; ');
  print(`${workload} ${contestant} #${round}: ${what}`);
}

/** The dearest frames of a profile. */
export function printProfile({ workload, contestant, kind, file, frames }: TakenProfile): void {
  print(`\n${workload} ${contestant}, ${kind} (${file})`);
  for (const { frame, share } of frames.slice(0, TOP_FRAMES)) {
    print(`  ${(share * 100).toFixed(1).padStart(5)} %  ${frame}`);
  }
}

import { contestantOf } from '../contestants/catalog.js';
import type { Workload } from '../workloads/contract.js';
import { maxFileDescriptors } from './file-descriptors.js';

/** A workload with the contestants that take part in it. */
export interface Entry {
  readonly workload: Workload;
  readonly contestants: readonly string[];
}

/** What can be run here, and in one line each what cannot and why. */
export interface Schedule {
  readonly entries: readonly Entry[];
  readonly notices: readonly string[];
}

/** Leaves out what this machine cannot run. `contestants` replaces those of each workload. */
export async function schedule(
  workloads: readonly Workload[],
  contestants: readonly string[] | undefined,
): Promise<Schedule> {
  const limit = await maxFileDescriptors();
  const tooLarge = workloads.filter(
    ({ fileDescriptors = 0 }) => limit !== undefined && limit < fileDescriptors,
  );
  const entries = workloads
    .filter((workload) => !tooLarge.includes(workload))
    .map((workload) => ({ workload, contestants: participants(workload, contestants) }));
  const missing = await missingOf(new Set(entries.flatMap((entry) => entry.contestants)));
  return {
    entries: entries.map((entry) => ({
      ...entry,
      contestants: entry.contestants.filter((name) => !missing.has(name)),
    })),
    notices: [
      ...tooLarge.map(
        ({ name, fileDescriptors }) =>
          `${name} is left out: it needs ${fileDescriptors} file descriptors in one process, and there are ${limit} (ulimit -n).`,
      ),
      ...Array.from(missing, ([name, reason]) => `${name} is left out: ${reason}`),
    ],
  };
}

/** Who takes part in a workload when `wanted` are asked for. */
export function participants(
  { contestants, isForThem = false }: Pick<Workload, 'contestants' | 'isForThem'>,
  wanted: readonly string[] | undefined,
): readonly string[] {
  if (wanted === undefined) return contestants;
  return isForThem ? wanted.filter((name) => contestants.includes(name)) : wanted;
}

async function missingOf(names: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
  const missing = new Map<string, string>();
  for (const name of names) {
    const reason = await contestantOf(name).missing?.();
    if (reason !== undefined) missing.set(name, reason);
  }
  return missing;
}

import { randomBytes } from 'node:crypto';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import type { BenchUser } from '../contestants/contract.js';
import { createUsers } from '../contestants/tokens.js';
import type { Sample } from '../report/sample.js';
import type { FrameShare, ProfileKind } from './profiling.js';
import { type RoundRequest, runRound } from './run-round.js';
import type { Entry } from './schedule.js';

/** What is run. */
export interface CampaignRequest {
  readonly entries: readonly Entry[];
  readonly rounds: number;
  /** Ends the campaign behind what is complete. */
  readonly signal: AbortSignal;
  /** Called after each run. */
  readonly onSample: (sample: Sample) => void;
}

/** Runs each workload in rounds; in each round every contestant once, beginning with another one each time. */
export async function runCampaign({ entries, rounds, signal, onSample }: CampaignRequest): Promise<void> {
  const people = await createPeople(entries);
  for (const { workload, contestants } of entries) {
    for (let round = 1; round <= rounds; round += 1) {
      for (const contestant of rotated(contestants, round)) {
        const run = { ...people, workload, contestant, profile: undefined, signal };
        const sample = await sampleOf(run, round);
        if (signal.aborted) return;
        onSample(sample);
      }
    }
  }
}

async function sampleOf(run: RoundRequest, round: number): Promise<Sample> {
  const startedAtMs = performance.now();
  const tookMs = (): number => Math.round(performance.now() - startedAtMs);
  const sample = { workload: run.workload.name, contestant: run.contestant, round, load: loadavg()[0] ?? 0 };
  try {
    const { metrics, delivery } = (await runRound(run)).outcome;
    return { ...sample, tookMs: tookMs(), metrics, ...(delivery === undefined ? {} : { delivery }) };
  } catch (cause) {
    return {
      ...sample,
      tookMs: tookMs(),
      metrics: {},
      failure: cause instanceof Error ? cause.message : String(cause),
    };
  }
}

/** What is profiled. */
export interface ProfileRequest extends Omit<CampaignRequest, 'rounds' | 'onSample'> {
  /** Where profiles are written. */
  readonly directory: string;
  readonly onProfile: (taken: TakenProfile) => void;
}

/** One profile of one contestant's server. */
export interface TakenProfile {
  readonly workload: string;
  readonly contestant: string;
  readonly kind: ProfileKind;
  readonly file: string;
  readonly frames: readonly FrameShare[];
}

const KINDS: readonly { readonly kind: ProfileKind; readonly extension: string }[] = [
  { kind: 'cpu', extension: 'cpuprofile' },
  { kind: 'allocations', extension: 'heapprofile' },
];

/** Takes a CPU profile and an allocation profile of each contestant's server, in runs of their own. */
export async function runProfiles({ entries, directory, signal, onProfile }: ProfileRequest): Promise<void> {
  const people = await createPeople(entries);
  for (const { workload, contestants } of entries) {
    for (const contestant of contestants) {
      for (const { kind, extension } of KINDS) {
        const file = join(directory, `${workload.name}-${contestant}.${extension}`);
        const run = { ...people, workload, contestant, profile: { kind, file }, signal };
        const { frames } = await runRound(run);
        if (signal.aborted) return;
        if (frames.length > 0) onProfile({ workload: workload.name, contestant, kind, file, frames });
      }
    }
  }
}

interface People {
  readonly users: readonly BenchUser[];
  readonly secret: string;
}

/** As many users as the largest workload has, the same ones for everybody. */
async function createPeople(entries: readonly Entry[]): Promise<People> {
  const secret = randomBytes(32).toString('hex');
  const count = Math.max(0, ...entries.map(({ workload }) => workload.users));
  return { users: await createUsers(count, secret), secret };
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % Math.max(1, items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}

import { Worker } from 'node:worker_threads';
import { type CampaignOptions, type CampaignReport, runCampaign, type SeedFailure } from '../campaign.js';
import { Tally } from '../tally.js';

/** What a worker is told to run. */
export type WorkerTask = Pick<CampaignOptions, 'from' | 'seeds' | 'stopsAtFirst' | 'hasStreams'>;

/** What a worker says: after each seed, and in the end. */
export type WorkerMessage =
  | { readonly kind: 'seed'; readonly failure: SeedFailure | undefined }
  | {
      readonly kind: 'report';
      readonly report: Omit<CampaignReport, 'tally'> & { readonly tally: ReturnType<Tally['entries']> };
    };

/** Runs a campaign in so many threads, or in this one. */
export async function runInWorkers(
  options: WorkerTask & { readonly jobs: number },
  onSeed: (failure: SeedFailure | undefined) => void,
): Promise<CampaignReport> {
  const { from, seeds, jobs } = options;
  if (jobs === 1) return await runCampaign({ ...options, onSeed });
  const share = Math.ceil(seeds / jobs);
  const tasks = Array.from({ length: jobs }, (_, index) => ({
    ...options,
    from: from + index * share,
    seeds: Math.max(0, Math.min(share, seeds - index * share)),
  }));
  const reports = await Promise.all(tasks.map((task) => runInWorker(task, onSeed)));
  return reports.reduce(combine);
}

function runInWorker(
  { from, seeds, stopsAtFirst, hasStreams }: WorkerTask,
  onSeed: (failure: SeedFailure | undefined) => void,
): Promise<CampaignReport> {
  return new Promise((resolve, reject) => {
    const workerData: WorkerTask = { from, seeds, stopsAtFirst, hasStreams };
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'seed') onSeed(message.failure);
      else resolve({ ...message.report, tally: tallyOf(message.report.tally) });
    });
    worker.on('error', reject);
  });
}

function tallyOf(entries: ReturnType<Tally['entries']>): Tally {
  const tally = new Tally();
  tally.add(entries);
  return tally;
}

function combine(a: CampaignReport, b: CampaignReport): CampaignReport {
  a.tally.add(b.tally);
  return {
    seeds: a.seeds + b.seeds,
    steps: a.steps + b.steps,
    virtualMs: a.virtualMs + b.virtualMs,
    repeated: a.repeated + b.repeated,
    failures: [...a.failures, ...b.failures],
    tally: a.tally,
  };
}

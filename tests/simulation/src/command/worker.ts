import { parentPort, workerData } from 'node:worker_threads';
import { runCampaign } from '../campaign.js';
import type { WorkerMessage, WorkerTask } from './workers.js';

const tell = (message: WorkerMessage): void => parentPort?.postMessage(message);
const report = await runCampaign({
  ...(workerData as WorkerTask),
  onSeed: (failure) => tell({ kind: 'seed', failure }),
});
tell({ kind: 'report', report: { ...report, tally: report.tally.entries() } });

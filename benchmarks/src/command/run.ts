import { join } from 'node:path';
import { contestantOf } from '../contestants/catalog.js';
import { runCampaign } from '../harness/campaign.js';
import { describeMachine } from '../harness/machine.js';
import { schedule } from '../harness/schedule.js';
import { publishTables } from '../report/publish.js';
import { type ResultsHead, writeResults } from '../report/results-file.js';
import type { Sample } from '../report/sample.js';
import { formatTable, rowsOf } from '../report/table.js';
import { WORKLOADS } from '../workloads/catalog.js';
import { DEFAULT_ROUNDS, type Selection } from './command-line.js';
import { RESULTS_DIRECTORY } from './folders.js';
import { INTERRUPTED, print, printSample } from './output.js';

/** Measures what is asked for, shows it and keeps it; settles to the exit code. */
export async function runCommand(
  { workloads, contestants, rounds }: Selection & { readonly rounds: number },
  signal: AbortSignal,
): Promise<number> {
  const chosen = WORKLOADS.filter(({ name }) => workloads?.includes(name) ?? true);
  const { entries, notices } = await schedule(chosen, contestants);
  for (const notice of notices) print(notice);
  const head: ResultsHead = {
    startedAt: new Date().toISOString(),
    rounds,
    machine: describeMachine(),
    notices,
  };
  const isWhole = workloads === undefined && contestants === undefined && rounds >= DEFAULT_ROUNDS;
  const name = `${head.startedAt.replaceAll(':', '-')}.jsonl`;
  const file = join(RESULTS_DIRECTORY, isWhole ? name : join('partial', name));
  const writer = await writeResults(file, head);
  const samples: Sample[] = [];
  await runCampaign({
    entries,
    rounds,
    signal,
    onSample: (sample) => {
      samples.push(sample);
      writer.add(sample);
      printSample(sample);
    },
  });
  const end = signal.aborted ? 'interrupted' : 'complete';
  await writer.close(end);
  for (const workload of chosen) {
    const rows = rowsOf(workload, samples, contestantOf);
    if (rows.length === 0) continue;
    print(`\n${workload.name}: ${workload.title}\n\n${formatTable(workload, rows, contestantOf)}`);
  }
  print(`\n${end === 'complete' ? 'Written' : 'Interrupted; what there is was written'} to ${file}`);
  if (end === 'interrupted') return INTERRUPTED;
  if (isWhole) for (const part of await publishTables({ head, samples, end })) print(`Written: ${part}`);
  return 0;
}

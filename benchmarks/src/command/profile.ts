import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runProfiles } from '../harness/campaign.js';
import { schedule } from '../harness/schedule.js';
import { WORKLOADS } from '../workloads/catalog.js';
import type { Selection } from './command-line.js';
import { RESULTS_DIRECTORY } from './folders.js';
import { print, printProfile } from './output.js';

/** Profiles the servers of what is asked for; settles to the exit code. */
export async function profileCommand(
  { workloads, contestants }: Selection,
  signal: AbortSignal,
): Promise<number> {
  const chosen = WORKLOADS.filter(({ name }) => workloads?.includes(name) ?? true);
  const { entries, notices } = await schedule(chosen, contestants);
  for (const notice of notices) print(notice);
  const directory = join(RESULTS_DIRECTORY, 'profiles');
  await mkdir(directory, { recursive: true });
  await runProfiles({ entries, signal, directory, onProfile: printProfile });
  return 0;
}

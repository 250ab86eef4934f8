import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { contestantOf } from '../contestants/catalog.js';
import { WORKLOADS } from '../workloads/catalog.js';
import { replaceGenerated } from './markers.js';
import type { Results, ResultsHead } from './results-file.js';
import { formatSummaryTable } from './summary-table.js';
import { formatTable, rowsOf } from './table.js';

const OWN_README = fileURLToPath(new URL('../../README.md', import.meta.url));
const ROOT_README = fileURLToPath(new URL('../../../README.md', import.meta.url));

/** Writes the tables of a run into the READMEs, wherever one has a place for them; settles to what was written. */
export async function publishTables({ head, samples }: Results): Promise<readonly string[]> {
  const parts = new Map<string, string>([
    ['machine', machineText(head)],
    ['summary', formatSummaryTable(WORKLOADS, samples, contestantOf)],
    ...WORKLOADS.map((workload): [string, string] => {
      const table = formatTable(workload, rowsOf(workload, samples, contestantOf), contestantOf);
      return [workload.name, `${workload.title}\n\n${table}`];
    }),
  ]);
  const written: string[] = [];
  for (const file of [OWN_README, ROOT_README]) {
    for (const name of await writeParts(file, parts)) written.push(`${name} in ${file}`);
  }
  return written;
}

async function writeParts(file: string, parts: ReadonlyMap<string, string>): Promise<readonly string[]> {
  let document = await readFile(file, 'utf8');
  const names: string[] = [];
  for (const [name, content] of parts) {
    const replaced = replaceGenerated(document, name, content);
    if (replaced === undefined) continue;
    document = replaced;
    names.push(name);
  }
  if (names.length > 0) await writeFile(file, document);
  return names;
}

/** Where and when, in a paragraph. */
function machineText({ startedAt, rounds, machine, notices }: ResultsHead): string {
  const { cpu, cores, memoryGb, system, node, packages } = machine;
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  const where = `${cores} × ${cpu}, ${memoryGb} GB, ${system}, Node ${node}`;
  const lines = [
    `${startedAt.slice(0, 10)}; ${where}; ${versions.join(', ')}; ${rounds} rounds.`,
    ...notices,
  ];
  return lines.join('\n\n');
}

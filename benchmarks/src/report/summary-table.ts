import type { Workload } from '../workloads/contract.js';
import { formatGoal } from './goal.js';
import { formatNumber } from './numbers.js';
import type { Sample } from './sample.js';
import { type ContestantInfo, formatMarkdown, formatRatio, rowsOf, type TableShape } from './table.js';

/** Of the summary, in this order; the rest is in the tables of each workload. */
const COLUMNS = ['runwire', 'ws', 'ws-ring', 'socket.io', 'sse', 'uws'] as const;
/** Who stands in the place of one that a workload does not have. */
const INSTEAD: Readonly<Record<string, string>> = { uws: 'uws-default' };

/** One line for each workload: the medians of its first column, Runwire's ratio to the first contestant, its goal. */
export function formatSummaryTable(
  workloads: readonly (TableShape & Pick<Workload, 'title' | 'goal'>)[],
  samples: readonly Sample[],
  infoOf: (contestant: string) => ContestantInfo,
): string {
  const lines = workloads.flatMap((workload) => {
    const rows = rowsOf(workload, samples, infoOf);
    if (rows.length === 0) return [];
    const median = (name: string): string => {
      const find = (wanted: string | undefined) => rows.find(({ contestant }) => contestant === wanted);
      const row = find(name) ?? find(INSTEAD[name]);
      const value = row?.values[workload.columns[0].key];
      if (value === undefined) return '–';
      const shown = formatNumber(value.median);
      return (row?.faults ?? []).length === 0 ? shown : `${shown} (${row?.faults?.[0]})`;
    };
    const [base = ''] = workload.contestants;
    const ours = rows.find(({ contestant }) => contestant === 'runwire');
    const against = base === 'runwire' ? '–' : `${formatRatio(ours?.ratio)} ${base}`;
    const [short = ''] = workload.title.split(':');
    const what = `**${workload.name}** ${short}: ${workload.columns[0].title}`;
    return [[what, ...COLUMNS.map(median), against, formatGoal(workload.goal, ours)]];
  });
  return formatMarkdown([['', ...COLUMNS.map((name) => infoOf(name).title), 'Runwire is', 'goal'], ...lines]);
}

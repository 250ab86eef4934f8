import type { Workload } from '../workloads/contract.js';
import { formatNumber, formatSummary } from './numbers.js';
import { deliveryFaults, type Sample } from './sample.js';
import { type Summary, summarize } from './statistics.js';

/** What a table says about a contestant. */
export interface ContestantInfo {
  readonly title: string;
  readonly merges: boolean;
}

/** A row of a workload's table. */
export interface Row {
  readonly contestant: string;
  /** By the key of the column. */
  readonly values: Readonly<Record<string, Summary>>;
  /** Of the first column, paired per round with the contestant that comes first in the workload. */
  readonly ratio: Summary | undefined;
  /** What was wrong with the deliveries; of each round that had something. Undefined: nothing was to be delivered. */
  readonly faults: readonly string[] | undefined;
  /** Why it could not be measured, when it never could. */
  readonly failure: string | undefined;
}

/** What of a workload its table needs. */
export type TableShape = Pick<Workload, 'name' | 'columns' | 'contestants'>;

/** Condenses the samples of one workload; contestants in the order of the workload, then of appearance. */
export function rowsOf(
  workload: TableShape,
  samples: readonly Sample[],
  infoOf: (contestant: string) => ContestantInfo,
): readonly Row[] {
  const own = samples.filter((sample) => sample.workload === workload.name);
  const [base] = workload.contestants;
  const measured = (name: string | undefined): readonly Sample[] =>
    own.filter(({ contestant, failure }) => contestant === name && failure === undefined);
  const names = [...workload.contestants, ...own.map(({ contestant }) => contestant)];
  return [...new Set(names)].flatMap((contestant): readonly Row[] => {
    const all = own.filter((sample) => sample.contestant === contestant);
    if (all.length === 0) return [];
    const of = measured(contestant);
    return [
      {
        contestant,
        values: valuesOf(workload, of),
        ratio: summarize(pairedRatios(workload.columns[0].key, of, measured(base))),
        faults: faultsOf(of, infoOf(contestant)),
        failure: of.length === 0 ? all[0]?.failure : undefined,
      },
    ];
  });
}

function valuesOf({ columns }: TableShape, samples: readonly Sample[]): Readonly<Record<string, Summary>> {
  const values: Record<string, Summary> = {};
  for (const { key } of columns) {
    // What does not exist, as an average of nothing, has become null in a file.
    const summary = summarize(
      samples.flatMap(({ metrics }) => metrics[key] ?? []).filter((value) => Number.isFinite(value)),
    );
    if (summary !== undefined) values[key] = summary;
  }
  return values;
}

/** One ratio for each round in which both were measured. */
export function pairedRatios(
  key: string,
  ours: readonly Sample[],
  theirs: readonly Sample[],
): readonly number[] {
  return ours.flatMap(({ round, metrics }) => {
    const own = metrics[key];
    const other = theirs.find((sample) => sample.round === round)?.metrics[key];
    return own === undefined || other === undefined || !(other > 0) ? [] : [own / other];
  });
}

/** The rows as a Markdown table. */
export function formatTable(
  workload: TableShape,
  rows: readonly Row[],
  infoOf: (contestant: string) => ContestantInfo,
): string {
  const [base = ''] = workload.contestants;
  const heads = ['', ...workload.columns.map(({ title }) => title), `ratio to ${base}`, 'deliveries'];
  const lines = rows.map(({ contestant, values, ratio, faults, failure }) => [
    infoOf(contestant).title,
    ...workload.columns.map(({ key }) => formatSummary(values[key])),
    formatRatio(ratio),
    failure === undefined ? formatFaults(faults) : `**not measured: ${failure.split('\n')[0]}**`,
  ]);
  return formatMarkdown([heads, ...lines]);
}

/** Cells as a Markdown table in columns, as the formatter wants it; the first line is its head. */
export function formatMarkdown(lines: readonly (readonly string[])[]): string {
  const [head = [], ...body] = lines;
  const widths = head.map((_, column) =>
    Math.max(MIN_WIDTH, ...lines.map((cells) => widthOf(cells[column] ?? ''))),
  );
  const rule = widths.map((width) => '-'.repeat(width));
  const padded = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => pad(cells[column] ?? '', width)).join(' | ')} |`;
  return [head, rule, ...body].map(padded).join('\n');
}

/** Of the rule below the head. */
const MIN_WIDTH = 3;

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(width - widthOf(cell));
}

function widthOf(cell: string): number {
  return Array.from(cell).length;
}

/** A ratio with its range, as tables show it. */
export function formatRatio(ratio: Summary | undefined): string {
  if (ratio === undefined) return '–';
  return `${formatNumber(ratio.median)} × (${formatNumber(ratio.min)}–${formatNumber(ratio.max)})`;
}

function faultsOf(samples: readonly Sample[], info: ContestantInfo): readonly string[] | undefined {
  if (samples.every(({ delivery }) => delivery === undefined)) return undefined;
  return [...new Set(samples.flatMap((sample) => deliveryFaults(sample, info)))];
}

function formatFaults(faults: readonly string[] | undefined): string {
  if (faults === undefined) return '–';
  return faults.length === 0 ? 'all, in order' : `**${faults.join('; ')}**`;
}

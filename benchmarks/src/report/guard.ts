/** The ratios of Runwire to a peer, by workload. */
export type Ratios = Readonly<Record<string, number>>;

/** A ratio beside the one of the baseline. */
export interface Comparison {
  readonly workload: string;
  readonly ratio: number;
  /** Undefined: the baseline has none. */
  readonly baseline: number | undefined;
  /** Of the ratio against the baseline's; positive is dearer. */
  readonly change: number | undefined;
  readonly failed: boolean;
}

/** By how much a ratio may be above its baseline. */
export const TOLERANCE = 0.15;

/**
 * Compares the ratios of a run with those of the baseline. A ratio that the baseline lacks fails too, as does one
 * of the baseline that was not measured: a guard that looks away guards nothing.
 */
export function compareWithBaseline(ratios: Ratios, baseline: Ratios): readonly Comparison[] {
  const names = [...new Set([...Object.keys(ratios), ...Object.keys(baseline)])];
  return names.map((workload) => {
    const ratio = ratios[workload] ?? Number.NaN;
    const expected = baseline[workload];
    const change = expected === undefined ? undefined : ratio / expected - 1;
    return { workload, ratio, baseline: expected, change, failed: !((change ?? Number.NaN) <= TOLERANCE) };
  });
}

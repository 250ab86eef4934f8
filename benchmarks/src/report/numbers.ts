import type { Summary } from './statistics.js';

/** A number with three significant digits, thousands separated. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const magnitude = Math.abs(value);
  if (magnitude >= 100) return Math.round(value).toLocaleString('en');
  if (magnitude >= 10) return value.toFixed(1);
  return value.toFixed(2);
}

/** Median and range, as tables show them. */
export function formatSummary(summary: Summary | undefined): string {
  if (summary === undefined) return '–';
  const { median, min, max } = summary;
  return `${formatNumber(median)} (${formatNumber(min)}–${formatNumber(max)})`;
}

import { appendFileSync, readFileSync } from 'node:fs';
import type { Plan } from './plan.js';

/** A plan that once broke a promise, and must never again. */
export interface Regression {
  /** What was wrong. */
  readonly found: string;
  readonly plan: Plan;
}

/** One line each, beside the sources and not beside what is built from them. */
const FILE = new URL(
  import.meta.url.includes('/dist/') ? '../../regressions.jsonl' : '../regressions.jsonl',
  import.meta.url,
);

/** Every plan that was kept. */
export function readRegressions(): readonly Regression[] {
  const lines = readFileSync(FILE, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Regression);
}

/** Keeps a plan. */
export function addRegression(regression: Regression): void {
  appendFileSync(FILE, `${JSON.stringify(regression)}\n`);
}

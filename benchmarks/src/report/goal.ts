import type { Goal } from '../workloads/contract.js';
import { formatNumber } from './numbers.js';
import type { Row } from './table.js';

/** What a goal is, and whether a row has reached it or by how much it has not. */
export function formatGoal(goal: Goal | undefined, row: Row | undefined): string {
  if (goal === undefined) return '–';
  const { key, atMost } = goal;
  const reached = key === undefined ? row?.ratio : row?.values[key];
  const wanted = `≤ ${formatNumber(atMost)}${key === undefined ? ' ×' : ''}`;
  if (reached === undefined) return wanted;
  if (reached.median <= atMost) return `${wanted}: met`;
  return `${wanted}: missed, ${formatNumber(reached.median / atMost)} times that`;
}

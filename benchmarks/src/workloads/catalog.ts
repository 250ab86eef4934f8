import { a1 } from './a1.js';
import { a2 } from './a2.js';
import { a3 } from './a3.js';
import { a4 } from './a4.js';
import { b } from './b.js';
import { c } from './c.js';
import type { Workload } from './contract.js';
import { d } from './d.js';
import { e1 } from './e1.js';
import { e2 } from './e2.js';
import { e4 } from './e4.js';
import { g } from './g.js';
import { g0 } from './g0.js';
import { h } from './h.js';
import { i1 } from './i1.js';
import { i2 } from './i2.js';
import { i3 } from './i3.js';

/** Every workload, in the order of the report. */
export const WORKLOADS: readonly Workload[] = Object.freeze([
  a1,
  a2,
  a3,
  a4,
  b,
  c,
  d,
  e1,
  e2,
  e4,
  g,
  g0,
  h,
  i1,
  i2,
  i3,
]);

import { APPEND_CASES } from './conformance/append-cases.js';
import { CURSOR_CASES } from './conformance/cursor-cases.js';
import { ERASE_CASES } from './conformance/erase-cases.js';
import { LIFECYCLE_CASES } from './conformance/lifecycle-cases.js';
import { PRODUCER_CASES } from './conformance/producer-cases.js';
import { READ_CASES } from './conformance/read-cases.js';
import { RETENTION_CASES } from './conformance/retention-cases.js';
import { RUN_CASES } from './conformance/run-cases.js';
import { SIZE_CASES } from './conformance/size-cases.js';
import { WAKE_CASES } from './conformance/wake-cases.js';
import type { EventLogConformanceCase } from './conformance-context.js';

/** Every promise of the `EventLog` contract. Run each with a context of its own. */
export const EVENT_LOG_CONFORMANCE: readonly EventLogConformanceCase[] = Object.freeze([
  ...APPEND_CASES,
  ...SIZE_CASES,
  ...READ_CASES,
  ...CURSOR_CASES,
  ...WAKE_CASES,
  ...PRODUCER_CASES,
  ...RUN_CASES,
  ...ERASE_CASES,
  ...RETENTION_CASES,
  ...LIFECYCLE_CASES,
]);

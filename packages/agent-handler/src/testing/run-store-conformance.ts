import { COMMAND_CASES } from './conformance/command-cases.js';
import { MESSAGE_CASES } from './conformance/message-cases.js';
import { RETRY_CASES } from './conformance/retry-cases.js';
import { RUN_CASES } from './conformance/run-cases.js';
import type { RunStoreConformanceCase } from './run-store-context.js';

/** What every pair of stores must do. Run each case in a fresh context. */
export const RUN_STORE_CONFORMANCE: readonly RunStoreConformanceCase[] = Object.freeze([
  ...MESSAGE_CASES,
  ...COMMAND_CASES,
  ...RUN_CASES,
  ...RETRY_CASES,
]);

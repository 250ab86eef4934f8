/**
 * The conformance cases of the `EventLog` contract, as data: a test of any implementation runs them all.
 *
 * @packageDocumentation
 */
export { EVENT_LOG_CONFORMANCE } from './conformance.js';
export type {
  ConformanceContextOptions,
  ConformanceLogDeps,
  ConformanceLogOptions,
  EventLogConformanceCase,
  EventLogConformanceContext,
} from './conformance-context.js';
export { createConformanceContext } from './conformance-context.js';

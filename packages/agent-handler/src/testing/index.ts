/**
 * In-memory stores for tests, and what every pair of stores must do.
 *
 * @packageDocumentation
 */
export type { MemoryStores } from './memory-stores.js';
export { createMemoryStores } from './memory-stores.js';
export { RUN_STORE_CONFORMANCE } from './run-store-conformance.js';
export type {
  RunStoreConformanceCase,
  RunStoreConformanceContext,
  RunStoreContextOptions,
} from './run-store-context.js';
export { createRunStoreContext } from './run-store-context.js';

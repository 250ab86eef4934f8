/**
 * A disk in memory for tests of what stands on a file log.
 *
 * @packageDocumentation
 */
export type { DiskOperation, MemoryDisk, PowerLoss } from './memory-disk.js';
export { createMemoryDisk, diskError } from './memory-disk.js';

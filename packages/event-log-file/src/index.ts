/**
 * The embedded durable event log: append-only segments in a folder.
 *
 * @packageDocumentation
 */
export type {
  FileEventLog,
  FileEventLogDeps,
  FileEventLogOptions,
  FileEventLogStats,
  FsyncPolicy,
  LogDamage,
} from './contract.js';
export { lockDirectory } from './directory-lock.js';
export type { LogDisk, LogFile } from './disk.js';
export type { FileLogErrorCode } from './errors.js';
export { FILE_LOG_ERROR_CODES, FileLogError } from './errors.js';
export { openFileEventLog } from './file-event-log.js';
export { createNodeDisk } from './node-disk.js';
export type { ResolvedFileEventLogOptions } from './options.js';
export { FILE_EVENT_LOG_DEFAULTS } from './options.js';

/**
 * In-memory doubles of the kernel's ports.
 *
 * @packageDocumentation
 */
export type { ManualClock } from './manual-clock.js';
export { createManualClock } from './manual-clock.js';
export type { LoggedLine, RecordingLogger } from './recording-logger.js';
export { createRecordingLogger } from './recording-logger.js';

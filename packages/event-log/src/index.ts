/**
 * One durable, ordered log per user: the contract, the in-memory log, and the parts that every log shares.
 *
 * @packageDocumentation
 */

export type { AppendPlace } from './append-results.js';
export { checkCursor } from './check-cursor.js';
export type {
  AppendResult,
  EncodedBatch,
  EncodedEvent,
  EncodedLines,
  EventLog,
  EventLogObserver,
  OpenRun,
  Producer,
  ReadRequest,
  ReadResult,
  RetentionOptions,
  Unsubscribe,
} from './contract.js';
export type { EncodeOptions, LogStamp } from './encoded-event.js';
export { encodeDraft, encodeErased, isErasable, requireEventFits } from './encoded-event.js';
export type { EventLogErrorCode } from './errors.js';
export { EVENT_LOG_ERROR_CODES, EventLogError } from './errors.js';
export type { PageLimits } from './event-window.js';
export type { MemoryEventLogDeps } from './memory-event-log.js';
export { createMemoryEventLog } from './memory-event-log.js';
export type { MemoryEventLogOptions, ResolvedMemoryEventLogOptions } from './options.js';
export { MEMORY_EVENT_LOG_DEFAULTS } from './options.js';
export type { Touch } from './remembered.js';
export type {
  AcceptedAppend,
  LedgerProducer,
  LedgerRun,
  LedgerSnapshot,
  UserLedger,
} from './user-ledger.js';
export { createUserLedger, restoreUserLedger } from './user-ledger.js';
export type { WakeHub, WakeSource } from './wake-hub.js';
export { createWakeHub } from './wake-hub.js';

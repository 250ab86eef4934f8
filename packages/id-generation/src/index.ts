/**
 * Branded, sortable, time-stamped ids: create, parse, validate, relate, and map foreign ones. The only place
 * where Runwire's ids are made.
 *
 * @packageDocumentation
 */
export type {
  ConnectionId,
  EventId,
  ForeignSubject,
  IdGenerator,
  IdGeneratorDeps,
  IdKind,
  IdOf,
  MessageId,
  ParsedId,
  RequestId,
  RunId,
  SessionId,
  ThreadId,
  ToolCallId,
  UserId,
} from './contract.js';
export type { IdErrorCode } from './errors.js';
export { IdError } from './errors.js';
export { idFromUuid, isUuid, userIdFromSubject } from './foreign.js';
export { createIdGenerator } from './generator.js';
export { isId, isRunOf, parseId, parseIdAs, threadKeyOf } from './parse.js';

/**
 * The protocol for small clients: types, codes, limits, encode and decode, and the fold of events, without zod.
 * What is checked here is checked by hand and tested to agree with the schemas of `@runwire/protocol`.
 *
 * @packageDocumentation
 */

export { CLIENT_LIMITS } from '../client-limits.js';
export type {
  ClientFieldsByType,
  ClientMessage,
  ClientMessageOf,
  ClientMessageType,
  CommandMessage,
  CommandResult,
  CommandResultByType,
  CommandType,
} from '../client-messages.js';
export type { CloseAction } from '../close-actions.js';
export { closeAction, closeReasonRetryAfterMs } from '../close-actions.js';
export type { CloseCode, CloseCodeInfo } from '../close-codes.js';
export { CLOSE_CODES } from '../close-codes.js';
export type {
  BusyPolicy,
  Cursor,
  ErrorBody,
  EventError,
  MessageContent,
  MessagePart,
  MessageRole,
  ResetReason,
  ResumeInfo,
  ResumeRequest,
  RunEndStatus,
  RunStatus,
  StreamInfo,
  ToolStatus,
  Usage,
} from '../contract.js';
export type {
  ControlFieldsByType,
  ControlMessage,
  ControlMessageOf,
  ControlType,
  ServerMessage,
} from '../control-messages.js';
export type { ErrorCode, ErrorCodeInfo } from '../error-codes.js';
export { ERROR_CODES } from '../error-codes.js';
export type {
  EventClass,
  EventData,
  EventDataByType,
  EventOwner,
  EventPosition,
  EventType,
  RunEventType,
  RunwireEvent,
  RunwireEventOf,
} from '../events.js';
export { EVENT_CLASS, TERMINAL_EVENT_TYPE } from '../events.js';
export type { Limits } from '../limits.js';
export { LIMITS } from '../limits.js';
export type { AnswerPart, RunView } from '../run-view.js';
export { answerText, applyRunEvent } from '../run-view.js';
export { BEARER_PREFIX, SUBPROTOCOL } from '../subprotocol.js';
export { encodeClientMessage, isLogEvent, parseServerFrame } from './frames.js';
export { isServerMessage } from './server-checks.js';

/**
 * The Runwire wire protocol, on the level of messages: types, schemas, codes, limits, builders, encode and
 * decode, and how events make an answer. Browser-safe. `PROTOCOL.md` is the text it implements; the § in the
 * comments are its sections.
 *
 * @packageDocumentation
 */
export type { ErrorMessageFields, ErrorOverrides } from './builders.js';
export { createErrorBody, createErrorMessage, createServerMessage } from './builders.js';
export type {
  ClientFieldsByType,
  ClientMessage,
  ClientMessageOf,
  ClientMessageType,
  CommandMessage,
  CommandResult,
  CommandResultByType,
  CommandType,
} from './client-messages.js';
export type { CloseAction } from './close-actions.js';
export { closeAction, closeReasonRetryAfterMs } from './close-actions.js';
export type { CloseCode, CloseCodeInfo } from './close-codes.js';
export { CLOSE_CODES, encodeCloseReason } from './close-codes.js';
export type { CommandReply } from './command-reply.js';
export { contentParts, contentText, isBlankContent } from './content.js';
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
} from './contract.js';
export type {
  ControlFieldsByType,
  ControlMessage,
  ControlMessageOf,
  ControlType,
  ServerMessage,
} from './control-messages.js';
export type { DecodedClientMessage, DecodeLimits } from './decode-client.js';
export { decodeClientMessage } from './decode-client.js';
export { decodeServerFrame } from './decode-server.js';
export type { EncodedPiece, EncodingTarget, EventEncoder } from './encode.js';
export { createEventEncoder, encodeEvent, encodeFrame, encodeServerMessage } from './encode.js';
export type { ErrorCode, ErrorCodeInfo } from './error-codes.js';
export { ERROR_CODES } from './error-codes.js';
export type { ProtocolErrorCode } from './errors.js';
export { PROTOCOL_ERROR_CODES, ProtocolError } from './errors.js';
export type {
  ErasedDraft,
  EventClass,
  EventData,
  EventDataByType,
  EventDraft,
  EventOwner,
  EventPosition,
  EventType,
  RunEventType,
  RunwireEvent,
  RunwireEventOf,
} from './events.js';
export { EVENT_CLASS, TERMINAL_EVENT_TYPE } from './events.js';
export type { Limits } from './limits.js';
export { LIMITS } from './limits.js';
export type { AnswerPart, RunView } from './run-view.js';
export { answerText, applyRunEvent } from './run-view.js';
export { CLIENT_MESSAGE_SCHEMAS } from './schemas/client.js';
export { SERVER_MESSAGE_SCHEMAS } from './schemas/control.js';
export { EVENT_SCHEMAS } from './schemas/events.js';
export type { MessageIssue } from './schemas/issues.js';
export type { JsonSchema, MessageJsonSchemas } from './schemas/json-schemas.js';
export { messageJsonSchemas } from './schemas/json-schemas.js';
export { BEARER_PREFIX, SUBPROTOCOL } from './subprotocol.js';

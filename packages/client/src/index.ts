/**
 * The client of a Runwire server: connects, resumes, and hands the application each event once, in order.
 *
 * @packageDocumentation
 */
export type { AnswerPart, RunView, RunwireEvent } from '@runwire/protocol';
export { answerText, applyRunEvent } from '@runwire/protocol';
export { createRunwireClient } from './client.js';
export type {
  ApprovalDecision,
  ClientOptions,
  ClientProblem,
  ClientState,
  ClientStats,
  ClientStorage,
  PageSignals,
  RunwireClient,
  SavedState,
  SendMessage,
  ThreadView,
  Unsubscribe,
  WebSocketConstructor,
  WebSocketLike,
} from './contract.js';
export type { ClientErrorCode, ClientProblemCode } from './errors.js';
export { CLIENT_ERROR_CODES, ClientError } from './errors.js';
export { CLIENT_DEFAULTS } from './options.js';

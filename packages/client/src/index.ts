/**
 * The client of a Runwire server: connects, resumes, and hands the application each event once, in order.
 *
 * @packageDocumentation
 */
export type { AnswerPart, RunView, RunwireEvent } from '@runwire/protocol/wire';
export { answerText, applyRunEvent } from '@runwire/protocol/wire';
export { createRunwireClient } from './client.js';
export type {
  ApprovalDecision,
  ClientOptions,
  ClientProblem,
  ClientState,
  ClientStats,
  HandlerErrorPolicy,
  HandlerFailure,
  RunwireClient,
  SendMessage,
  ThreadView,
  TransportKind,
} from './contract.js';
export type { ClientErrorCode, ClientProblemCode } from './errors.js';
export { CLIENT_ERROR_CODES, ClientError } from './errors.js';
export { CLIENT_DEFAULTS } from './options.js';
export type {
  ClientStorage,
  CommandOutbox,
  PageSignals,
  PendingCommand,
  SavedState,
  SentCommand,
  Unsubscribe,
  WebSocketConstructor,
  WebSocketLike,
} from './ports.js';

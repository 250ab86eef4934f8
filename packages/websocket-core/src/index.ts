/**
 * One WebSocket done right: handshake, authentication, state machine, heartbeat, router, limits, close.
 *
 * @packageDocumentation
 */
export type {
  Admission,
  AuthenticationAttempt,
  ClientConnection,
  CloseInfo,
  CommandRequest,
  ConnectionInfo,
  ConnectionStateKind,
  Dispose,
  Handshake,
  InFlight,
  PostAnswer,
  PostedMessage,
  Principal,
  Readiness,
  Refusal,
  Reservation,
  SocketServer,
  SocketServerDeps,
  SocketServerStats,
  UpgradeAnswer,
} from './contract.js';
export type { SocketErrorCode } from './errors.js';
export { SOCKET_ERROR_CODES, SocketError } from './errors.js';
export type { SocketLimits, SocketServerOptions } from './options.js';
export { DEFAULT_SOCKET_LIMITS } from './options.js';
export { createSocketServer } from './socket-server.js';

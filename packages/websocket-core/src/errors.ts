import { CodedError } from '@runwire/kernel';

/** Why this package refused. Local errors of the program, never sent. */
export const SOCKET_ERROR_CODES = [
  /** The connection has sent `connection_established` already. */
  'SOCKET_ALREADY_ESTABLISHED',
  /** A handler for this message type is registered. */
  'SOCKET_HANDLER_EXISTS',
  /** No close code of protocol §7 that a server may send. */
  'SOCKET_INVALID_CLOSE_CODE',
  /** An option is out of its range. */
  'SOCKET_INVALID_OPTION',
  /** Something was sent before `connection_established`. */
  'SOCKET_NOT_ESTABLISHED',
] as const;

/** One of {@link SOCKET_ERROR_CODES}. */
export type SocketErrorCode = (typeof SOCKET_ERROR_CODES)[number];

/** The one error this package throws. Match on `code`. */
export class SocketError extends CodedError<SocketErrorCode> {
  override readonly name = 'SocketError';
}

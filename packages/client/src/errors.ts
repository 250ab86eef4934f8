import { CodedError } from '@runwire/kernel';
import type { ErrorBody, ErrorCode } from '@runwire/protocol/wire';

/** Why this package itself refused a call; a command may also reject with a code of the server. */
export const CLIENT_ERROR_CODES = [
  'CLIENT_CLOSED',
  'CLIENT_INVALID_OPTIONS',
  'CLIENT_STOPPED',
  'COMMAND_CANCELLED',
  'COMMAND_UNANSWERED',
  'TOO_MANY_PENDING',
] as const;

/** One of {@link CLIENT_ERROR_CODES}. */
export type ClientErrorCode = (typeof CLIENT_ERROR_CODES)[number];

/**
 * What `onError` listeners are told besides the codes of the server:
 *
 * - `FRAME_INVALID`: a frame that is no Runwire message; the connection is dropped and resumed.
 * - `GAP_UNRESOLVED`: three resyncs did not fill a gap; handled as a reset.
 * - `HANDLER_FAILED`: a handler of events threw; `onHandlerError` says what became of the `event`.
 * - `LISTENER_FAILED`: another listener threw, or a view of `openThread`, which is loaded again.
 * - `SNAPSHOT_FAILED`: `loadSnapshot` rejected; it is tried again with the next connection.
 * - `STOPPED`: the connection ended for good by a code that is to be reported.
 * - `STORAGE_FAILED`: `storage` or `outbox` threw.
 * - `TOKEN_FAILED`: `getToken` rejected or took too long.
 */
export type ClientProblemCode =
  | 'FRAME_INVALID'
  | 'GAP_UNRESOLVED'
  | 'HANDLER_FAILED'
  | 'LISTENER_FAILED'
  | 'SNAPSHOT_FAILED'
  | 'STOPPED'
  | 'STORAGE_FAILED'
  | 'TOKEN_FAILED';

/** The one error this package throws. Match on `code`. */
export class ClientError extends CodedError<ClientErrorCode | ErrorCode> {
  override readonly name = 'ClientError';
}

/** The error of a command that the server rejected; `details` has `retryable`, `retryAfterMs` and the server's own. */
export function rejectionOf(error: ErrorBody): ClientError {
  const { code, message, retryable, retryAfterMs, details } = error;
  return new ClientError(code, message, {
    details: { ...details, retryable, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  });
}

/** The error of every call to a client that has stopped: `CLIENT_CLOSED` after 1000, else `CLIENT_STOPPED`. */
export function stopError(end: { readonly code: number; readonly reason: string }): ClientError {
  if (end.code === 1000) return new ClientError('CLIENT_CLOSED', 'The client is closed.');
  const message = `The client stopped: ${end.code} ${end.reason}`.trim();
  return new ClientError('CLIENT_STOPPED', message, { details: { closeCode: end.code } });
}

import { CodedError } from '@runwire/kernel';

/** Why authentication refused. Each is a code of the protocol. */
export type AuthErrorCode =
  | 'EMAIL_TAKEN'
  | 'INVALID_CREDENTIALS'
  | 'REFRESH_SUPERSEDED'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_INVALID'
  | 'TOO_MANY_ATTEMPTS'
  | 'UNAUTHENTICATED';

/** The error of authentication. Match on `code`. */
export class AuthError extends CodedError<AuthErrorCode> {
  override readonly name = 'AuthError';
}

import { isCodedError } from '@runwire/kernel';
import type { ErrorCode } from '@runwire/protocol';
import type { AuthenticationAttempt, Principal, SocketServerDeps } from './contract.js';

/** What a failed authentication means for the connection. */
export type AuthenticationFailure =
  /** The token is at fault. */
  | { readonly kind: 'refused'; readonly closeCode: 4401 | 4403; readonly code: ErrorCode }
  /** The authenticator is. */
  | { readonly kind: 'failed' };

/** Verifies a token; a port that throws instead of rejecting is the same, and so is one that answers at once. */
export function verifyToken(
  deps: Pick<SocketServerDeps, 'authenticate'>,
  token: string,
  attempt: AuthenticationAttempt,
): Promise<Principal> {
  // Not an async function, which would put a promise of its own around each.
  try {
    return Promise.resolve(deps.authenticate(token, attempt));
  } catch (cause) {
    return Promise.reject(cause);
  }
}

/** Reads the code of a failure; anything unknown is the server's fault and says nothing about the token. */
export function classifyFailure(cause: unknown): AuthenticationFailure {
  if (!isCodedError(cause)) return { kind: 'failed' };
  switch (cause.code) {
    case 'TOKEN_INVALID':
    case 'TOKEN_EXPIRED':
    case 'UNAUTHENTICATED':
      return { kind: 'refused', closeCode: 4401, code: cause.code };
    case 'FORBIDDEN':
      return { kind: 'refused', closeCode: 4403, code: cause.code };
    default:
      return { kind: 'failed' };
  }
}

import type { ErrorBody } from '@runwire/protocol/wire';
import type { ClientProblem } from './contract.js';
import type { Link } from './link.js';
import { requestToken, type TokenDeps, type TokenRequest } from './tokens.js';

/** Gives a live connection a new token before the old one expires; delivery goes on meanwhile. */
export interface TokenRefresh {
  /** `auth_expiring` came on `link`. A repeated call while one is under way does nothing. */
  start(link: Link): void;
  /** True if the message with this `ref` answers the refresh. */
  accepted(ref: string): boolean;
  /** True if the refresh was refused: the old token counts on until it expires. */
  refused(ref: string, error: ErrorBody): boolean;
  /** The connection is gone, and the refresh with it: the next one brings its own token. */
  cancel(): void;
}

/** What a refresh needs of its client. */
export interface TokenRefreshDeps extends TokenDeps {
  readonly newId: () => string;
  readonly report: (problem: ClientProblem) => void;
}

/** Creates the refresh of one client. */
export function createTokenRefresh(deps: TokenRefreshDeps): TokenRefresh {
  let request: TokenRequest | undefined;
  let sentId: string | undefined;

  const accepted = (ref: string): boolean => {
    if (ref !== sentId) return false;
    sentId = undefined;
    return true;
  };

  return {
    start(link) {
      if (request !== undefined || sentId !== undefined) return;
      request = requestToken(deps, 'refresh', {
        got(token) {
          request = undefined;
          sentId = deps.newId();
          link.send({ type: 'refresh_token', id: sentId, token });
        },
        failed(cause) {
          request = undefined;
          deps.report({ code: 'TOKEN_FAILED', message: 'There is no token.', cause });
        },
      });
    },
    accepted,
    refused(ref, error) {
      if (!accepted(ref)) return false;
      deps.report({ code: error.code, message: error.message, error });
      return true;
    },
    cancel() {
      request?.cancel();
      request = undefined;
      sentId = undefined;
    },
  };
}

import type { RequestId } from '@runwire/id-generation';
import type { Clock, Logger } from '@runwire/kernel';
import {
  type ClientMessageOf,
  type ControlMessage,
  createErrorBody,
  createServerMessage,
  type ErrorBody,
} from '@runwire/protocol';
import type { Scope } from '@runwire/user-context';
import type { Agenda } from './agenda.js';
import { classifyFailure, verifyToken } from './authentication.js';
import type { Principal, SocketServerDeps } from './contract.js';
import type { SocketLimits } from './options.js';
import { SlidingWindow, type Verdict } from './rate-window.js';
import { internalError, rejection } from './replies.js';

/** What refreshing needs of its connection. */
export interface TokenRefreshDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly agenda: Agenda;
  readonly limits: SocketLimits;
  readonly scope: Scope;
  readonly ports: Pick<SocketServerDeps, 'authenticate'>;
  requestId(): RequestId;
  userId(): string;
  renewed(principal: Principal): void;
  send(message: ControlMessage): void;
  close(code: number, reason: string): void;
}

const MINUTE_MS = 60_000;

/** Takes a new token on a live connection (protocol §5). Until it is verified, the old one counts. */
export class TokenRefresh {
  readonly #deps: TokenRefreshDeps;
  readonly #window: SlidingWindow;
  #pending: Scope | undefined;

  constructor(deps: TokenRefreshDeps) {
    this.#deps = deps;
    this.#window = new SlidingWindow(deps.limits.maxCommandsPerMinute, MINUTE_MS);
  }

  handle({ id, token }: ClientMessageOf<'refresh_token'>): void {
    const { agenda, clock, limits, ports } = this.#deps;
    // Two at once could settle in either order, and the last one sent must count.
    const refused =
      this.#pending === undefined
        ? rateLimited(this.#window.take(clock.monotonicMs()))
        : createErrorBody('COMMAND_PENDING');
    if (refused !== undefined) {
      this.#reject(id, refused);
      return;
    }
    const scope = this.#deps.scope.child('refresh');
    this.#pending = scope;
    agenda.set('refresh', clock.monotonicMs() + limits.authenticationTimeoutMs, () => {
      this.#finish(scope, () => this.#reject(id, createErrorBody('NOT_READY')));
    });
    verifyToken(ports, token, scope.signal)
      .then(
        (principal) => this.#finish(scope, () => this.#verified(id, principal)),
        (cause: unknown) => this.#finish(scope, () => this.#refused(id, cause)),
      )
      .catch((cause: unknown) => this.#deps.logger.error({ err: cause }, 'A token refresh failed'));
  }

  /** Runs the outcome of a refresh, unless another outcome or the close came first. */
  #finish(scope: Scope, outcome: () => void): void {
    if (this.#pending !== scope) return;
    const over = scope.signal.aborted;
    this.#pending = undefined;
    this.#deps.agenda.cancel('refresh');
    void scope.dispose();
    if (!over) outcome();
  }

  #verified(id: string, principal: Principal): void {
    if (principal.userId !== this.#deps.userId()) {
      this.#deps.close(4403, 'the token is of another user');
      return;
    }
    this.#deps.renewed(principal);
    this.#deps.send(createServerMessage('auth_refreshed', { ref: id, expiresAtMs: principal.expiresAtMs }));
  }

  #refused(id: string, cause: unknown): void {
    const failure = classifyFailure(cause);
    if (failure.kind === 'failed') {
      const correlationId = this.#deps.requestId();
      this.#deps.logger.error({ correlationId, err: cause }, 'A token could not be verified');
      this.#reject(id, internalError(correlationId));
    } else if (failure.closeCode === 4403) {
      this.#deps.close(4403, failure.code);
    } else {
      this.#reject(id, createErrorBody(failure.code));
    }
  }

  #reject(id: string, error: ErrorBody): void {
    this.#deps.send(rejection(id, error));
  }
}

function rateLimited(verdict: Verdict): ErrorBody | undefined {
  if (verdict.allowed) return undefined;
  return createErrorBody('RATE_LIMITED', { retryAfterMs: verdict.retryAfterMs });
}

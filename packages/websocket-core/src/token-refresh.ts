import type { RequestId } from '@runwire/id-generation';
import type { Clock, Logger } from '@runwire/kernel';
import {
  type ClientMessageOf,
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
import { internalError, type Reply, rejection } from './replies.js';

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
  close(code: number, reason: string): void;
}

/** One `refresh_token` and where its answer goes. */
interface Asked {
  readonly id: string;
  readonly reply: Reply;
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

  handle({ id, token }: ClientMessageOf<'refresh_token'>, reply: Reply): void {
    const { agenda, clock, limits, ports } = this.#deps;
    // Two at once could settle in either order, and the last one sent must count.
    const refused =
      this.#pending === undefined
        ? rateLimited(this.#window.take(clock.monotonicMs()))
        : createErrorBody('COMMAND_PENDING');
    if (refused !== undefined) {
      reply.answer(rejection(id, refused));
      return;
    }
    const scope = this.#deps.scope.child('refresh');
    this.#pending = scope;
    agenda.set('refresh', clock.monotonicMs() + limits.authenticationTimeoutMs, () => {
      this.#finish(scope, () => reply.answer(rejection(id, createErrorBody('NOT_READY'))));
    });
    verifyToken(ports, token, scope.signal)
      .then(
        (principal) => this.#finish(scope, () => this.#verified(principal, { id, reply })),
        (cause: unknown) => this.#finish(scope, () => this.#refused(cause, { id, reply })),
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

  #verified(principal: Principal, { id, reply }: Asked): void {
    if (principal.userId !== this.#deps.userId()) {
      this.#deps.close(4403, 'the token is of another user');
      return;
    }
    this.#deps.renewed(principal);
    reply.answer(createServerMessage('auth_refreshed', { ref: id, expiresAtMs: principal.expiresAtMs }));
  }

  #refused(cause: unknown, { id, reply }: Asked): void {
    const failure = classifyFailure(cause);
    if (failure.kind === 'failed') {
      const correlationId = this.#deps.requestId();
      this.#deps.logger.error({ correlationId, err: cause }, 'A token could not be verified');
      reply.answer(rejection(id, internalError(correlationId)));
    } else if (failure.closeCode === 4403) {
      this.#deps.close(4403, failure.code);
    } else {
      reply.answer(rejection(id, createErrorBody(failure.code)));
    }
  }
}

function rateLimited(verdict: Verdict): ErrorBody | undefined {
  if (verdict.allowed) return undefined;
  return createErrorBody('RATE_LIMITED', { retryAfterMs: verdict.retryAfterMs });
}

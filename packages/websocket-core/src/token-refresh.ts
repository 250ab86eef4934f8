import type { Logger } from '@runwire/kernel';
import {
  type ClientMessageOf,
  createErrorBody,
  createServerMessage,
  type ErrorBody,
} from '@runwire/protocol';
import type { Scope } from '@runwire/user-context';
import type { Agenda } from './agenda.js';
import { classifyFailure, verifyToken } from './authentication.js';
import type { ConnectionHost } from './connection-host.js';
import type { Principal } from './contract.js';
import { SlidingWindow, type Verdict } from './rate-window.js';
import { internalError, type Reply, rejection } from './replies.js';

/** Whose token is refreshed. */
export interface TokenRefreshOwner {
  readonly logger: Logger;
  readonly agenda: Agenda;
  readonly scope: Scope;
  readonly userId: string;
  /** Another token counts from now on. */
  renewed(principal: Principal): void;
  close(code: number, reason: string): void;
}

/** One `refresh_token` and where its answer goes. */
interface Asked {
  readonly id: string;
  readonly reply: Reply;
  readonly scope: Scope;
}

const MINUTE_MS = 60_000;

/** Takes a new token on a live connection (protocol §5). Until it is verified, the old one counts. */
export class TokenRefresh {
  readonly #host: ConnectionHost;
  readonly #owner: TokenRefreshOwner;
  readonly #window: SlidingWindow;
  #pending: Asked | undefined;

  constructor(host: ConnectionHost, owner: TokenRefreshOwner) {
    this.#host = host;
    this.#owner = owner;
    this.#window = new SlidingWindow(host.options.limits.maxCommandsPerMinute, MINUTE_MS);
  }

  handle({ id, token }: ClientMessageOf<'refresh_token'>, reply: Reply): void {
    const { deps, options } = this.#host;
    const nowMs = deps.clock.monotonicMs();
    // Two at once could settle in either order, and the last one sent must count.
    const refused =
      this.#pending === undefined
        ? rateLimited(this.#window.take(nowMs))
        : createErrorBody('COMMAND_PENDING');
    if (refused !== undefined) {
      reply.answer(rejection(id, refused));
      return;
    }
    const asked: Asked = { id, reply, scope: this.#owner.scope.child('refresh') };
    this.#pending = asked;
    this.#owner.agenda.set('refresh', nowMs + options.limits.authenticationTimeoutMs);
    verifyToken(deps, token, asked.scope)
      .then(
        (principal) => this.#finish(asked, () => this.#verified(principal, asked)),
        (cause: unknown) => this.#finish(asked, () => this.#refused(cause, asked)),
      )
      .catch((cause: unknown) => this.#owner.logger.error({ err: cause }, 'A token refresh failed'));
  }

  /** The job `refresh`: the authenticator took too long. */
  timeOut(): void {
    const asked = this.#pending;
    if (asked === undefined) return;
    this.#finish(asked, () => asked.reply.answer(rejection(asked.id, createErrorBody('NOT_READY'))));
  }

  /** Runs the outcome of a refresh, unless another outcome or the close came first. */
  #finish(asked: Asked, outcome: () => void): void {
    if (this.#pending !== asked) return;
    const over = asked.scope.signal.aborted;
    this.#pending = undefined;
    this.#owner.agenda.cancel('refresh');
    void asked.scope.dispose();
    if (!over) outcome();
  }

  #verified(principal: Principal, { id, reply }: Asked): void {
    if (principal.userId !== this.#owner.userId) {
      this.#owner.close(4403, 'the token is of another user');
      return;
    }
    this.#owner.renewed(principal);
    reply.answer(createServerMessage('auth_refreshed', { ref: id, expiresAtMs: principal.expiresAtMs }));
  }

  #refused(cause: unknown, { id, reply }: Asked): void {
    const failure = classifyFailure(cause);
    if (failure.kind === 'failed') {
      const correlationId = this.#host.deps.ids.requestId();
      this.#owner.logger.error({ correlationId, err: cause }, 'A token could not be verified');
      reply.answer(rejection(id, internalError(correlationId)));
    } else if (failure.closeCode === 4403) {
      this.#owner.close(4403, failure.code);
    } else {
      reply.answer(rejection(id, createErrorBody(failure.code)));
    }
  }
}

function rateLimited(verdict: Verdict): ErrorBody | undefined {
  if (verdict.allowed) return undefined;
  return createErrorBody('RATE_LIMITED', { retryAfterMs: verdict.retryAfterMs });
}

import type { ConnectionId, RequestId } from '@runwire/id-generation';
import { createRequestContext, type RequestContext } from '@runwire/user-context';
import type { Principal } from './contract.js';

/** Whose connection it is, by the token that counts now. */
export class Session {
  readonly #connectionId: ConnectionId;
  #principal: Principal;
  #context: RequestContext;

  constructor(connectionId: ConnectionId, principal: Principal, requestId: RequestId) {
    this.#connectionId = connectionId;
    this.#principal = principal;
    this.#context = this.#contextOf(principal, requestId);
  }

  get principal(): Principal {
    return this.#principal;
  }

  get context(): RequestContext {
    return this.#context;
  }

  /** A refreshed token of the same user: the connection belongs to its session from now on. */
  renew(principal: Principal, requestId: RequestId): void {
    this.#context = this.#contextOf(principal, requestId);
    this.#principal = principal;
  }

  #contextOf({ userId, sessionId }: Principal, requestId: RequestId): RequestContext {
    return createRequestContext({ userId, sessionId, requestId, connectionId: this.#connectionId });
  }
}

import { type ConnectionId, isId, type RequestId } from '@runwire/id-generation';
import { createRequestContext, type RequestContext } from '@runwire/user-context';
import type { Principal } from './contract.js';

/** Whose connection it is, by the token that counts now. */
export class Session {
  readonly #connectionId: ConnectionId;
  readonly #ids: { requestId(): RequestId };
  #principal: Principal;
  /** Made when it is asked for: most connections never are. */
  #context: RequestContext | undefined;

  /** @throws ContextError when the principal is none that a context can have */
  constructor(connectionId: ConnectionId, principal: Principal, ids: { requestId(): RequestId }) {
    this.#connectionId = connectionId;
    this.#ids = ids;
    this.#principal = principal;
    this.#context = isOwn(principal) ? undefined : this.#contextOf(principal);
  }

  get principal(): Principal {
    return this.#principal;
  }

  get context(): RequestContext {
    this.#context ??= this.#contextOf(this.#principal);
    return this.#context;
  }

  /** A refreshed token of the same user: the connection belongs to its session from now on. */
  renew(principal: Principal): void {
    this.#context = this.#contextOf(principal);
    this.#principal = principal;
  }

  #contextOf({ userId, sessionId }: Principal): RequestContext {
    const requestId = this.#ids.requestId();
    return createRequestContext({ userId, sessionId, requestId, connectionId: this.#connectionId });
  }
}

/** Whether a context takes the principal as it is; of any other it is to be made at once, which may fail. */
function isOwn({ sessionId, userId }: Principal): boolean {
  return isId('user', userId) && isId('session', sessionId);
}

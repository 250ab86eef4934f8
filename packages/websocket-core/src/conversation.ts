import type { Logger } from '@runwire/kernel';
import type { ClientMessageOf } from '@runwire/protocol';
import type { RequestContext, Scope } from '@runwire/user-context';
import type { Agenda } from './agenda.js';
import type { Conduct } from './conduct.js';
import type { ConnectionHost } from './connection-host.js';
import type { Principal } from './contract.js';
import { Inbound, type InboundOwner } from './inbound.js';
import type { Incoming, Reply } from './replies.js';
import type { MessageRouter } from './router.js';
import type { Session } from './session.js';
import { TokenRefresh, type TokenRefreshOwner } from './token-refresh.js';

/** Whose conversation it is. */
export interface ConversationOwner {
  readonly logger: Logger;
  readonly scope: Scope;
  readonly agenda: Agenda;
  readonly conduct: Conduct;
  readonly router: MessageRouter;
  readonly isOpen: boolean;
  /** The last `seq` sent on the connection. */
  readonly sentSeq: number;
  /** Another token counts from now on. */
  renewed(principal: Principal): void;
  close(code: number, reason: string): void;
}

/** What a known user's connection hears and answers. What a peer that says nothing does not need is not there yet. */
export class Conversation implements InboundOwner, TokenRefreshOwner {
  readonly session: Session;
  readonly #host: ConnectionHost;
  readonly #owner: ConversationOwner;
  #logger: Logger | undefined;
  #inbound: Inbound | undefined;
  #refresh: TokenRefresh | undefined;

  constructor(session: Session, host: ConnectionHost, owner: ConversationOwner) {
    this.session = session;
    this.#host = host;
    this.#owner = owner;
  }

  get userId(): Principal['userId'] {
    return this.session.principal.userId;
  }

  get context(): RequestContext {
    return this.session.context;
  }

  get logger(): Logger {
    this.#logger ??= this.#owner.logger.child({ userId: this.userId });
    return this.#logger;
  }

  get scope(): Scope {
    return this.#owner.scope;
  }

  get agenda(): Agenda {
    return this.#owner.agenda;
  }

  get conduct(): Conduct {
    return this.#owner.conduct;
  }

  get router(): MessageRouter {
    return this.#owner.router;
  }

  get isOpen(): boolean {
    return this.#owner.isOpen;
  }

  get sentSeq(): number {
    return this.#owner.sentSeq;
  }

  handle(incoming: Incoming): void {
    this.#inbound ??= new Inbound(this.#host, this);
    this.#inbound.handle(incoming);
  }

  refresh(message: ClientMessageOf<'refresh_token'>, reply: Reply): void {
    this.#refresh ??= new TokenRefresh(this.#host, this);
    this.#refresh.handle(message, reply);
  }

  /** The job `refresh`. */
  refreshTimedOut(): void {
    this.#refresh?.timeOut();
  }

  renewed(principal: Principal): void {
    this.session.renew(principal);
    this.#owner.renewed(principal);
  }

  close(code: number, reason: string): void {
    this.#owner.close(code, reason);
  }
}

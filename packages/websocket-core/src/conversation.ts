import type { ConnectionId } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import type { Scope } from '@runwire/user-context';
import type { Agenda } from './agenda.js';
import type { CommandLimits } from './command-limits.js';
import { CommandRunner } from './commands.js';
import type { Conduct } from './conduct.js';
import type { Principal, SocketServerDeps } from './contract.js';
import type { Counters } from './counters.js';
import { Inbound } from './inbound.js';
import type { SocketLimits } from './options.js';
import type { Incoming } from './replies.js';
import type { MessageRouter } from './router.js';
import { Session } from './session.js';
import { TokenRefresh } from './token-refresh.js';

/** What a conversation is made of. */
export interface ConversationDeps {
  readonly connectionId: ConnectionId;
  readonly ports: SocketServerDeps;
  readonly limits: SocketLimits;
  readonly counters: Counters;
  readonly commandLimits: CommandLimits;
  readonly logger: Logger;
  readonly scope: Scope;
  readonly agenda: Agenda;
  readonly conduct: Conduct;
  readonly router: MessageRouter;
  isOpen(): boolean;
  /** The last `seq` sent on the connection. */
  sentSeq(): number;
  /** Another token counts from now on. */
  renewed(principal: Principal): void;
  close(code: number, reason: string): void;
}

/** What a known user's connection hears and answers. */
export class Conversation {
  readonly session: Session;
  readonly commands: CommandRunner;
  readonly #inbound: Inbound;

  constructor(principal: Principal, deps: ConversationDeps) {
    const { clock, ids } = deps.ports;
    const requestId = (): ReturnType<typeof ids.requestId> => ids.requestId();
    const session = new Session(deps.connectionId, principal, requestId());
    const shared = { ...deps, logger: deps.logger.child({ userId: principal.userId }), requestId, clock };
    this.session = session;
    this.commands = new CommandRunner({ ...shared, context: () => session.context });
    const refresh = new TokenRefresh({
      ...shared,
      userId: () => session.principal.userId,
      renewed: (renewed) => {
        session.renew(renewed, requestId());
        deps.renewed(renewed);
      },
    });
    this.#inbound = new Inbound({
      ...shared,
      takeCommand: () => deps.commandLimits.take(principal.userId),
      refresh: (message, reply) => refresh.handle(message, reply),
    });
  }

  handle(incoming: Incoming): void {
    this.#inbound.handle(incoming);
  }
}

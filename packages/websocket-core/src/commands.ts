import type { RequestId } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import type { ClientMessageOf, CommandMessage, CommandReply, ControlMessage } from '@runwire/protocol';
import { type RequestContext, runWithContext, type Scope } from '@runwire/user-context';
import type { ConnectionHost } from './connection-host.js';
import type { CommandRequest } from './contract.js';
import { internalError, type Reply, refOf, rejection, replyMessage } from './replies.js';

/** Whose command it is. */
export interface CommandOwner {
  readonly logger: Logger;
  /** The connection's scope; each command gets a child of it. */
  readonly scope: Scope;
  /** The connection's identity as it is now. */
  readonly context: RequestContext;
  readonly isOpen: boolean;
}

/** A handler as `handleCommand` takes it. */
export type CommandHandler<T extends CommandMessage['type']> = (
  message: ClientMessageOf<T>,
  request: CommandRequest,
) => Promise<CommandReply<T>>;

/** What one command runs with. */
interface Run {
  readonly owner: CommandOwner;
  readonly requestId: RequestId;
  readonly logger: Logger;
  readonly reply: Reply;
}

/** Runs commands, each in its own request scope and context, and answers with what they come to. */
export class CommandRunner {
  readonly #host: ConnectionHost;

  constructor(host: ConnectionHost) {
    this.#host = host;
  }

  run<T extends CommandMessage['type']>(
    message: ClientMessageOf<T>,
    handler: CommandHandler<T>,
    { owner, reply }: { readonly owner: CommandOwner; readonly reply: Reply },
  ): void {
    const requestId = this.#host.deps.ids.requestId();
    const logger = owner.logger.child({ requestId, type: message.type });
    this.#execute(message, handler, { owner, requestId, logger, reply }).catch((cause: unknown) => {
      logger.error({ err: cause }, 'A command could not be answered');
    });
  }

  async #execute<T extends CommandMessage['type']>(
    message: ClientMessageOf<T>,
    handler: CommandHandler<T>,
    run: Run,
  ): Promise<void> {
    const ref = refOf(message);
    await using scope = run.owner.scope.child('request');
    const context = run.owner.context.child({ requestId: run.requestId });
    const request: CommandRequest = { context, signal: scope.signal };
    let reply: CommandReply;
    try {
      reply = await runWithContext(context, () => handler(message, request));
    } catch (cause) {
      this.#host.counters.reject('handlerThrew');
      run.logger.error({ err: cause }, 'A command failed');
      answer(run, rejection(ref, internalError(run.requestId)));
      return;
    }
    answer(run, replyMessage(ref, reply));
  }
}

function answer({ logger, owner, reply }: Run, message: ControlMessage): void {
  if (owner.isOpen) reply.answer(message);
  else logger.debug({ outcome: message.type }, 'A command ended after its connection');
}

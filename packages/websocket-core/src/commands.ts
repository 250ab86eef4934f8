import type { RequestId } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import type { ClientMessageOf, CommandMessage, CommandReply, ControlMessage } from '@runwire/protocol';
import { type RequestContext, runWithContext, type Scope } from '@runwire/user-context';
import type { CommandRequest } from './contract.js';
import type { Counters } from './counters.js';
import { internalError, type Reply, refOf, rejection, replyMessage } from './replies.js';

/** What running commands needs of its connection. */
export interface CommandDeps {
  readonly logger: Logger;
  readonly counters: Counters;
  /** The connection's scope; each command gets a child of it. */
  readonly scope: Scope;
  requestId(): RequestId;
  /** The connection's identity as it is now. */
  context(): RequestContext;
  isOpen(): boolean;
}

/** A handler as `handleCommand` takes it. */
export type CommandHandler<T extends CommandMessage['type']> = (
  message: ClientMessageOf<T>,
  request: CommandRequest,
) => Promise<CommandReply<T>>;

/** What one command runs with. */
interface Run {
  readonly requestId: RequestId;
  readonly logger: Logger;
  readonly reply: Reply;
}

/** Runs commands, each in its own request scope and context, and answers with what they come to. */
export class CommandRunner {
  readonly #deps: CommandDeps;

  constructor(deps: CommandDeps) {
    this.#deps = deps;
  }

  run<T extends CommandMessage['type']>(
    message: ClientMessageOf<T>,
    handler: CommandHandler<T>,
    reply: Reply,
  ): void {
    const requestId = this.#deps.requestId();
    const logger = this.#deps.logger.child({ requestId, type: message.type });
    this.#execute(message, handler, { requestId, logger, reply }).catch((cause: unknown) => {
      logger.error({ err: cause }, 'A command could not be answered');
    });
  }

  async #execute<T extends CommandMessage['type']>(
    message: ClientMessageOf<T>,
    handler: CommandHandler<T>,
    run: Run,
  ): Promise<void> {
    const ref = refOf(message);
    await using scope = this.#deps.scope.child('request');
    const context = this.#deps.context().child({ requestId: run.requestId });
    const request: CommandRequest = { context, signal: scope.signal };
    let reply: CommandReply;
    try {
      reply = await runWithContext(context, () => handler(message, request));
    } catch (cause) {
      this.#deps.counters.reject('handlerThrew');
      run.logger.error({ err: cause }, 'A command failed');
      this.#answer(run, rejection(ref, internalError(run.requestId)));
      return;
    }
    this.#answer(run, replyMessage(ref, reply));
  }

  #answer({ logger, reply }: Run, message: ControlMessage): void {
    if (this.#deps.isOpen()) reply.answer(message);
    else logger.debug({ outcome: message.type }, 'A command ended after its connection');
  }
}

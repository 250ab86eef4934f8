import type { RequestId } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import {
  type ClientMessage,
  type ClientMessageOf,
  type CommandMessage,
  createErrorBody,
  createServerMessage,
  decodeClientMessage,
  type ErrorBody,
} from '@runwire/protocol';
import type { CommandOwner } from './commands.js';
import type { Conduct } from './conduct.js';
import type { ConnectionHost } from './connection-host.js';
import { type Incoming, internalError, type Reply, refOf, rejection } from './replies.js';
import type { MessageRouter } from './router.js';

/** Whose messages come in. */
export interface InboundOwner extends CommandOwner {
  readonly logger: Logger;
  readonly conduct: Conduct;
  readonly router: MessageRouter;
  /** The last `seq` sent on the connection. */
  readonly sentSeq: number;
  refresh(message: ClientMessageOf<'refresh_token'>, reply: Reply): void;
}

/**
 * The way of a message to its handler: size, decode once, rate, route (architecture §5). Each ends with its
 * reply told once, by the handler when the answer takes its time.
 */
export class Inbound {
  readonly #host: ConnectionHost;
  readonly #owner: InboundOwner;
  /** The highest `seq` acknowledged since the position was last moved. */
  #ackedSeq = 0;

  constructor(host: ConnectionHost, owner: InboundOwner) {
    this.#host = host;
    this.#owner = owner;
  }

  handle({ reply, text }: Incoming): void {
    const decoded = decodeClientMessage(text, this.#host.options.limits);
    if (decoded.ok) this.#dispatch(decoded.message, reply);
    else this.#reject(reply, decoded.ref, decoded.error);
  }

  #dispatch(message: ClientMessage, reply: Reply): void {
    switch (message.type) {
      case 'authenticate': {
        const already = 'This connection is authenticated already.';
        this.#reject(reply, undefined, createErrorBody('INVALID_MESSAGE', { message: already }));
        return;
      }
      case 'ping':
        if (this.#takeLight()) this.#pong(message, reply);
        else reply.done('taken');
        return;
      case 'ack':
        if (this.#isProgress(message) || this.#takeLight()) this.#message(message, reply);
        reply.done('taken');
        return;
      case 'refresh_token':
        this.#host.counters.routed += 1;
        this.#owner.refresh(message, reply);
        return;
      case 'resync':
        this.#ackedSeq = 0;
        this.#message(message, reply);
        reply.done('streamed');
        return;
      case 'user_message':
      case 'start_agent':
      case 'stop_agent':
      case 'resolve_approval':
        this.#command(message, reply);
    }
  }

  #message<T extends 'ack' | 'resync'>(
    message: ClientMessageOf<T> & { readonly type: T },
    reply: Reply,
  ): void {
    const handler = this.#owner.router.message(message.type);
    this.#route(message, reply, handler && (() => handler(message, (error) => reply.answer(error))));
  }

  #command<T extends CommandMessage['type']>(
    message: ClientMessageOf<T> & { readonly type: T },
    reply: Reply,
  ): void {
    const owner = this.#owner;
    const verdict = this.#host.commandLimits.take(owner.context.userId);
    if (!verdict.allowed) {
      const { retryAfterMs } = verdict;
      this.#reject(reply, refOf(message), createErrorBody('RATE_LIMITED', { retryAfterMs }));
      return;
    }
    const handler = owner.router.command(message.type);
    const { commands } = this.#host;
    this.#route(message, reply, handler && (() => commands.run(message, handler, { owner, reply })));
  }

  #route(message: { readonly type: string }, reply: Reply, run: (() => void) | undefined): void {
    const { counters, deps } = this.#host;
    const { logger } = this.#owner;
    const fail = (reason: 'noHandler' | 'handlerThrew'): RequestId => {
      const correlationId = deps.ids.requestId();
      counters.reject(reason);
      reply.answer(rejection(refOf(message), internalError(correlationId)));
      return correlationId;
    };
    if (run === undefined) {
      logger.error({ type: message.type, correlationId: fail('noHandler') }, 'No handler');
      return;
    }
    try {
      run();
      counters.routed += 1;
    } catch (cause) {
      const correlationId = fail('handlerThrew');
      logger.error({ type: message.type, correlationId, err: cause }, 'A handler threw');
    }
  }

  /**
   * Whether an ack tells something new. Such acks are as many as the frames that were sent, and the next frames
   * wait for them: none may be dropped.
   */
  #isProgress({ seq }: ClientMessageOf<'ack'>): boolean {
    if (seq <= this.#ackedSeq || seq > this.#owner.sentSeq) return false;
    this.#ackedSeq = seq;
    return true;
  }

  #takeLight(): boolean {
    const taken = this.#owner.conduct.noteLight();
    if (!taken) this.#host.counters.reject('dropped');
    return taken;
  }

  #pong({ n }: ClientMessageOf<'ping'>, reply: Reply): void {
    reply.answer(createServerMessage('pong', n === undefined ? {} : { n }));
  }

  #reject(reply: Reply, ref: string | undefined, error: ErrorBody): void {
    this.#host.counters.reject(error.code);
    reply.answer(rejection(ref, error));
  }
}

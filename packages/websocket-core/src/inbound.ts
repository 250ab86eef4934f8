import type { RequestId } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import {
  type ClientMessage,
  type ClientMessageOf,
  createErrorBody,
  createServerMessage,
  decodeClientMessage,
  type ErrorBody,
} from '@runwire/protocol';
import type { Conduct } from './conduct.js';
import type { Counters } from './counters.js';
import type { SocketLimits } from './options.js';
import type { Verdict } from './rate-window.js';
import { type Incoming, internalError, type Reply, refOf, rejection } from './replies.js';
import type { MessageRouter } from './router.js';

/** What the way of a message needs of its connection. */
export interface InboundDeps {
  readonly logger: Logger;
  readonly limits: SocketLimits;
  readonly counters: Counters;
  readonly conduct: Conduct;
  readonly router: MessageRouter;
  requestId(): RequestId;
  /** The last `seq` sent on the connection. */
  sentSeq(): number;
  /** Counts a command of the connection's user. */
  takeCommand(): Verdict;
  refresh(message: ClientMessageOf<'refresh_token'>, reply: Reply): void;
}

/**
 * The way of a message to its handler: size, decode once, rate, route (architecture §5). Each ends with its
 * reply told once, by the handler when the answer takes its time.
 */
export class Inbound {
  readonly #deps: InboundDeps;
  /** The highest `seq` acknowledged since the position was last moved. */
  #ackedSeq = 0;

  constructor(deps: InboundDeps) {
    this.#deps = deps;
  }

  handle({ reply, text }: Incoming): void {
    const decoded = decodeClientMessage(text, this.#deps.limits);
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
        if (this.#isProgress(message) || this.#takeLight()) this.#route(message, reply);
        reply.done('taken');
        return;
      case 'refresh_token':
        this.#deps.counters.routed += 1;
        this.#deps.refresh(message, reply);
        return;
      case 'resync':
        this.#ackedSeq = 0;
        this.#route(message, reply);
        reply.done('streamed');
        return;
      case 'user_message':
      case 'start_agent':
      case 'stop_agent':
      case 'resolve_approval':
        this.#command(message, reply);
    }
  }

  #command(message: ClientMessage, reply: Reply): void {
    const verdict = this.#deps.takeCommand();
    if (verdict.allowed) this.#route(message, reply);
    else {
      const { retryAfterMs } = verdict;
      this.#reject(reply, refOf(message), createErrorBody('RATE_LIMITED', { retryAfterMs }));
    }
  }

  #route(message: ClientMessage, reply: Reply): void {
    const { counters, logger, router } = this.#deps;
    const fail = (reason: 'noHandler' | 'handlerThrew'): RequestId => {
      const correlationId = this.#deps.requestId();
      counters.reject(reason);
      reply.answer(rejection(refOf(message), internalError(correlationId)));
      return correlationId;
    };
    try {
      if (router.route(message, reply)) counters.routed += 1;
      else logger.error({ type: message.type, correlationId: fail('noHandler') }, 'No handler');
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
    if (seq <= this.#ackedSeq || seq > this.#deps.sentSeq()) return false;
    this.#ackedSeq = seq;
    return true;
  }

  #takeLight(): boolean {
    const taken = this.#deps.conduct.noteLight();
    if (!taken) this.#deps.counters.reject('dropped');
    return taken;
  }

  #pong({ n }: ClientMessageOf<'ping'>, reply: Reply): void {
    reply.answer(createServerMessage('pong', n === undefined ? {} : { n }));
  }

  #reject(reply: Reply, ref: string | undefined, error: ErrorBody): void {
    this.#deps.counters.reject(error.code);
    reply.answer(rejection(ref, error));
  }
}

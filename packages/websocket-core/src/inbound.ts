import type { RequestId } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import {
  type ClientMessage,
  type ClientMessageOf,
  type ControlMessage,
  createErrorBody,
  createServerMessage,
  decodeClientMessage,
  type ErrorBody,
} from '@runwire/protocol';
import type { Conduct } from './conduct.js';
import type { Counters } from './counters.js';
import type { SocketLimits } from './options.js';
import type { Verdict } from './rate-window.js';
import { internalError, refOf, rejection } from './replies.js';
import type { MessageRouter } from './router.js';

/** What the way of a message needs of its connection. */
export interface InboundDeps {
  readonly logger: Logger;
  readonly limits: SocketLimits;
  readonly counters: Counters;
  readonly conduct: Conduct;
  readonly router: MessageRouter;
  requestId(): RequestId;
  /** Counts a command of the connection's user. */
  takeCommand(): Verdict;
  refresh(message: ClientMessageOf<'refresh_token'>): void;
  send(message: ControlMessage): void;
}

/** The way of a message from the socket to its handler: size, decode once, rate, route (architecture §5). */
export class Inbound {
  readonly #deps: InboundDeps;

  constructor(deps: InboundDeps) {
    this.#deps = deps;
  }

  handle(text: string): void {
    const decoded = decodeClientMessage(text, this.#deps.limits);
    if (decoded.ok) this.#dispatch(decoded.message);
    else this.#reject(decoded.ref, decoded.error);
  }

  #dispatch(message: ClientMessage): void {
    switch (message.type) {
      case 'authenticate':
        this.#reject(
          undefined,
          createErrorBody('INVALID_MESSAGE', { message: 'This connection is authenticated already.' }),
        );
        return;
      case 'ping':
        if (this.#takeLight()) this.#pong(message);
        return;
      case 'ack':
        if (this.#takeLight()) this.#route(message);
        return;
      case 'refresh_token':
        this.#deps.counters.routed += 1;
        this.#deps.refresh(message);
        return;
      case 'resync':
        this.#route(message);
        return;
      case 'user_message':
      case 'start_agent':
      case 'stop_agent':
      case 'resolve_approval':
        this.#command(message);
    }
  }

  #command(message: ClientMessage): void {
    const verdict = this.#deps.takeCommand();
    if (verdict.allowed) this.#route(message);
    else {
      const { retryAfterMs } = verdict;
      this.#reject(refOf(message), createErrorBody('RATE_LIMITED', { retryAfterMs }));
    }
  }

  #route(message: ClientMessage): void {
    const { counters, logger, router } = this.#deps;
    try {
      if (router.route(message)) {
        counters.routed += 1;
        return;
      }
      logger.error({ type: message.type, correlationId: this.#fail(message, 'noHandler') }, 'No handler');
    } catch (cause) {
      const correlationId = this.#fail(message, 'handlerThrew');
      logger.error({ type: message.type, correlationId, err: cause }, 'A handler threw');
    }
  }

  #fail(message: ClientMessage, reason: 'noHandler' | 'handlerThrew'): RequestId {
    const correlationId = this.#deps.requestId();
    this.#deps.counters.reject(reason);
    this.#deps.send(rejection(refOf(message), internalError(correlationId)));
    return correlationId;
  }

  #takeLight(): boolean {
    const taken = this.#deps.conduct.noteLight();
    if (!taken) this.#deps.counters.reject('dropped');
    return taken;
  }

  #pong({ n }: ClientMessageOf<'ping'>): void {
    this.#deps.send(createServerMessage('pong', n === undefined ? {} : { n }));
  }

  #reject(ref: string | undefined, error: ErrorBody): void {
    this.#deps.counters.reject(error.code);
    this.#deps.send(rejection(ref, error));
  }
}

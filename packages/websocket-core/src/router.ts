import type { ClientMessage, ClientMessageOf, ClientMessageType } from '@runwire/protocol';
import type { Dispose } from './contract.js';
import { SocketError } from './errors.js';
import type { Reply } from './replies.js';

/** One handler of one connection, until it is disposed. */
export class HandlerRegistration {
  readonly type: ClientMessageType;
  readonly run: (message: ClientMessage, reply: Reply) => void;

  constructor(type: ClientMessageType, run: (message: ClientMessage, reply: Reply) => void) {
    this.type = type;
    this.run = run;
  }
}

/** The handlers of one connection, by message type. */
export class MessageRouter {
  readonly #registrations = new Map<ClientMessageType, HandlerRegistration>();
  #closed = false;

  get size(): number {
    return this.#registrations.size;
  }

  /** @throws SocketError `SOCKET_HANDLER_EXISTS` */
  register<T extends ClientMessageType>(
    type: T,
    run: (message: ClientMessageOf<T>, reply: Reply) => void,
  ): Dispose {
    // A connection that is over takes no handlers: nobody would remove them.
    if (this.#closed) return () => {};
    if (this.#registrations.has(type)) {
      throw new SocketError('SOCKET_HANDLER_EXISTS', `A handler for "${type}" is registered already.`, {
        details: { type },
      });
    }
    // The map's key is the message's type, so the message is of type T.
    const registration = new HandlerRegistration(type, (message, reply) =>
      run(message as ClientMessageOf<T>, reply),
    );
    this.#registrations.set(type, registration);
    return () => {
      if (this.#registrations.get(type) === registration) this.#registrations.delete(type);
    };
  }

  /** False when there is no handler for the message. */
  route(message: ClientMessage, reply: Reply): boolean {
    const registration = this.#registrations.get(message.type);
    registration?.run(message, reply);
    return registration !== undefined;
  }

  close(): void {
    this.#closed = true;
    this.#registrations.clear();
  }
}

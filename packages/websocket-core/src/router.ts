import type { ClientMessage, ClientMessageOf, ClientMessageType } from '@runwire/protocol';
import type { Dispose } from './contract.js';
import { SocketError } from './errors.js';

/** One handler of one connection, until it is disposed. */
export class HandlerRegistration {
  readonly type: ClientMessageType;
  readonly run: (message: ClientMessage) => void;

  constructor(type: ClientMessageType, run: (message: ClientMessage) => void) {
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
  register<T extends ClientMessageType>(type: T, run: (message: ClientMessageOf<T>) => void): Dispose {
    // A connection that is over takes no handlers: nobody would remove them.
    if (this.#closed) return () => {};
    if (this.#registrations.has(type)) {
      throw new SocketError('SOCKET_HANDLER_EXISTS', `A handler for "${type}" is registered already.`, {
        details: { type },
      });
    }
    // The map's key is the message's type, so the message is of type T.
    const registration = new HandlerRegistration(type, (message) => run(message as ClientMessageOf<T>));
    this.#registrations.set(type, registration);
    return () => {
      if (this.#registrations.get(type) === registration) this.#registrations.delete(type);
    };
  }

  /** False when there is no handler for the message. */
  route(message: ClientMessage): boolean {
    const registration = this.#registrations.get(message.type);
    registration?.run(message);
    return registration !== undefined;
  }

  close(): void {
    this.#closed = true;
    this.#registrations.clear();
  }
}

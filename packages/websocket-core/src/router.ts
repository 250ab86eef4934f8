import type { ClientMessageOf, CommandMessage, ControlMessage } from '@runwire/protocol';
import type { CommandHandler } from './commands.js';
import type { Dispose } from './contract.js';
import { SocketError } from './errors.js';

/** A handler as `handle` takes it. */
export type MessageHandler<T extends 'ack' | 'resync'> = (
  message: ClientMessageOf<T>,
  answer: (message: ControlMessage) => void,
) => void;

type MessageType = 'ack' | 'resync';
type CommandType = CommandMessage['type'];

/**
 * Null: there was a handler. Records, not maps, which take three times the memory, and the handlers themselves: with
 * an object around each, those of an idle connection take a thirtieth of it.
 */
type Messages = { [T in MessageType]: MessageHandler<T> | null | undefined };
type Commands = { [T in CommandType]: CommandHandler<T> | null | undefined };

/** The handlers of one connection, by message type. */
export class MessageRouter {
  #messages = noMessages();
  #commands = noCommands();
  #closed = false;

  get size(): number {
    const handlers = [...Object.values(this.#messages), ...Object.values(this.#commands)];
    return handlers.filter((handler) => typeof handler === 'function').length;
  }

  /** @throws SocketError `SOCKET_HANDLER_EXISTS` */
  handle<T extends MessageType>(type: T, handler: MessageHandler<T>): Dispose {
    // A connection that is over takes no handlers: nobody would remove them.
    if (this.#closed) return () => {};
    const messages: { [K in T]?: MessageHandler<K> | null | undefined } = this.#messages;
    if (typeof messages[type] === 'function') throw handlerExists(type);
    // The disposer of a handler before must not find this one, even if it is the same function.
    const own: MessageHandler<T> =
      messages[type] === null ? (message, answer) => handler(message, answer) : handler;
    messages[type] = own;
    // Bound, which takes two thirds of the memory of a closure with its context.
    return clear.bind(undefined, messages, type, own);
  }

  /** @throws SocketError `SOCKET_HANDLER_EXISTS` */
  handleCommand<T extends CommandType>(type: T, handler: CommandHandler<T>): Dispose {
    if (this.#closed) return () => {};
    const commands: { [K in T]?: CommandHandler<K> | null | undefined } = this.#commands;
    if (typeof commands[type] === 'function') throw handlerExists(type);
    const own: CommandHandler<T> =
      commands[type] === null ? (message, request) => handler(message, request) : handler;
    commands[type] = own;
    // Bound, which takes two thirds of the memory of a closure with its context.
    return clear.bind(undefined, commands, type, own);
  }

  /** The handler of a message without a reply of its own; undefined without one. */
  message<T extends MessageType>(type: T): MessageHandler<T> | undefined {
    return this.#messages[type] ?? undefined;
  }

  /** The handler of a command; undefined without one. */
  command<T extends CommandType>(type: T): CommandHandler<T> | undefined {
    return this.#commands[type] ?? undefined;
  }

  close(): void {
    this.#closed = true;
    this.#messages = noMessages();
    this.#commands = noCommands();
  }
}

/** Takes a handler away, unless there is another in its place by now. */
function clear(handlers: Record<string, unknown>, type: string, handler: unknown): void {
  if (handlers[type] === handler) handlers[type] = null;
}

function noMessages(): Messages {
  return { ack: undefined, resync: undefined };
}

function noCommands(): Commands {
  return {
    user_message: undefined,
    start_agent: undefined,
    stop_agent: undefined,
    resolve_approval: undefined,
  };
}

function handlerExists(type: string): SocketError {
  return new SocketError('SOCKET_HANDLER_EXISTS', `A handler for "${type}" is registered already.`, {
    details: { type },
  });
}

import { type Clock, createDeferred, type Deferred, type TimerHandle } from '@runwire/kernel';
import type { ClientMessageOf, CommandResult, ErrorBody } from '@runwire/protocol';
import { ClientError, rejectionOf } from './errors.js';

/** The commands a client sends. */
export type SentCommandType = 'user_message' | 'stop_agent' | 'resolve_approval';

/** The commands without an answer yet. Each keeps its id over reconnects, so that it is done once. */
export interface Commands {
  /** Sends now, or with the next connection. Settles with the answer. */
  send<T extends SentCommandType>(message: ClientMessageOf<T>): Promise<CommandResult<T>>;
  /** A connection is there: what is pending goes out (again). */
  connected(): void;
  /** The largest message the server takes. */
  limit(maxMessageBytes: number): void;
  /** The connection is gone: deadlines stand still. */
  disconnected(): void;
  /** True if `ref` is one of these commands. */
  accepted(ref: string, result: CommandResult): boolean;
  rejected(ref: string, error: ErrorBody): boolean;
  /** Rejects everything pending. */
  rejectAll(error: ClientError): void;
}

/** What commands need of their client. */
export interface CommandsDeps {
  readonly clock: Clock;
  readonly newId: () => string;
  /** Writes to the connection, if there is one. */
  readonly transmit: (text: string) => void;
}

/** See `ClientOptions`. */
export interface CommandsOptions {
  readonly commandTimeoutMs: number;
  readonly maxPendingCommands: number;
  readonly maxMessageBytes: number;
}

interface Pending {
  readonly id: string;
  readonly text: string;
  readonly answer: Deferred<CommandResult>;
  /** Connected time left. */
  leftMs: number;
  sinceMs: number;
  deadline: TimerHandle | undefined;
  retry: TimerHandle | undefined;
  rateLimited: boolean;
}

const RETRY_MS = 1_000;

/** Creates a client's commands. */
export function createCommands(deps: CommandsDeps, options: CommandsOptions): Commands {
  return new PendingCommands(deps, options);
}

class PendingCommands implements Commands {
  readonly #deps: CommandsDeps;
  readonly #options: CommandsOptions;
  readonly #pending = new Map<string, Pending>();
  #connected = false;
  #maxMessageBytes: number;

  constructor(deps: CommandsDeps, options: CommandsOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#maxMessageBytes = options.maxMessageBytes;
  }

  async send<T extends SentCommandType>(message: ClientMessageOf<T>): Promise<CommandResult<T>> {
    const id = this.#deps.newId();
    const text = JSON.stringify({ ...message, id });
    this.#refuse(text);
    const answer = createDeferred<CommandResult>();
    const leftMs = this.#options.commandTimeoutMs;
    const command: Pending = {
      id,
      text,
      answer,
      leftMs,
      sinceMs: 0,
      deadline: undefined,
      retry: undefined,
      rateLimited: false,
    };
    this.#pending.set(id, command);
    if (this.#connected) this.#start(command);
    // The server answers a command with the result of its type (protocol §5).
    return (await answer.promise) as CommandResult<T>;
  }

  limit(maxMessageBytes: number): void {
    this.#maxMessageBytes = maxMessageBytes;
  }

  connected(): void {
    this.disconnected();
    this.#connected = true;
    for (const command of this.#pending.values()) this.#start(command);
  }

  disconnected(): void {
    if (!this.#connected) return;
    this.#connected = false;
    for (const command of this.#pending.values()) {
      this.#cancel(command);
      command.leftMs -= this.#deps.clock.monotonicMs() - command.sinceMs;
    }
  }

  accepted(ref: string, result: CommandResult): boolean {
    const command = this.#take(ref);
    command?.answer.resolve(result);
    return command !== undefined;
  }

  rejected(ref: string, error: ErrorBody): boolean {
    const command = this.#pending.get(ref);
    if (command === undefined) return false;
    const delayMs = retryDelayMs(command, error);
    const leftMs = command.leftMs - (this.#deps.clock.monotonicMs() - command.sinceMs);
    if (delayMs === undefined || delayMs >= leftMs) {
      this.#take(ref)?.answer.reject(rejectionOf(error));
      return true;
    }
    command.rateLimited ||= error.code === 'RATE_LIMITED';
    command.retry?.cancel();
    command.retry = this.#deps.clock.setTimer(delayMs, () => this.#deps.transmit(command.text));
    return true;
  }

  rejectAll(error: ClientError): void {
    for (const id of this.#pending.keys()) this.#take(id)?.answer.reject(error);
  }

  #refuse(text: string): void {
    const { maxPendingCommands } = this.#options;
    if (this.#pending.size >= maxPendingCommands) {
      throw new ClientError('TOO_MANY_PENDING', `${maxPendingCommands} commands wait for an answer already.`);
    }
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > this.#maxMessageBytes) {
      const details = { bytes, maxBytes: this.#maxMessageBytes, retryable: false };
      throw new ClientError('MESSAGE_TOO_LARGE', 'The message is too large.', { details });
    }
  }

  #start(command: Pending): void {
    const { clock, transmit } = this.#deps;
    command.sinceMs = clock.monotonicMs();
    command.deadline = clock.setTimer(Math.max(0, command.leftMs), () => {
      const error = new ClientError(
        'COMMAND_UNANSWERED',
        'The server did not answer; the outcome is unknown.',
      );
      this.#take(command.id)?.answer.reject(error);
    });
    transmit(command.text);
  }

  #take(id: string): Pending | undefined {
    const command = this.#pending.get(id);
    if (command === undefined) return undefined;
    this.#pending.delete(id);
    this.#cancel(command);
    return command;
  }

  #cancel(command: Pending): void {
    command.deadline?.cancel();
    command.retry?.cancel();
  }
}

/** When to repeat a rejected command by itself; undefined: the rejection is the caller's. */
function retryDelayMs(command: Pending, { code, retryAfterMs }: ErrorBody): number | undefined {
  if (code === 'COMMAND_PENDING' || code === 'NOT_READY') return retryAfterMs ?? RETRY_MS;
  if (code === 'RATE_LIMITED' && !command.rateLimited) return retryAfterMs;
  return undefined;
}

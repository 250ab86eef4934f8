import { type Clock, createDeferred, type Deferred, type TimerHandle } from '@runwire/kernel';
import {
  CLIENT_LIMITS,
  type ClientMessageOf,
  type CommandResult,
  type ErrorBody,
} from '@runwire/protocol/wire';
import type { ClientProblem } from './contract.js';
import { ClientError, rejectionOf } from './errors.js';
import type { CommandOutbox, PendingCommand, SentCommand } from './ports.js';

/** The commands without an answer yet. Each keeps its id over reconnects, so that it is done once. */
export interface Commands {
  /** Oldest first; another array after each change. */
  readonly pending: readonly PendingCommand[];
  /** Sends now, or with the next connection, behind those before it. Settles with the answer. */
  send<T extends SentCommand['type']>(message: ClientMessageOf<T>): Promise<CommandResult<T>>;
  /** Takes back one that was not sent yet. */
  cancel(id: string): boolean;
  /** A connection is there: what is pending goes out (again). */
  connected(): void;
  /** The largest message the server takes. */
  limit(maxMessageBytes: number): void;
  /** The connection is gone: deadlines stand still. */
  disconnected(): void;
  accepted(ref: string, result: CommandResult): void;
  /** True if `ref` is one of these commands. */
  rejected(ref: string, error: ErrorBody): boolean;
  /** Rejects everything pending. `keep`: it stays in the outbox. */
  rejectAll(error: ClientError, keep: boolean): void;
}

/** What commands need of their client. */
export interface CommandsDeps {
  readonly clock: Clock;
  readonly newId: () => string;
  /** Writes to the connection, if there is one. */
  readonly transmit: (text: string) => void;
  readonly changed: (pending: readonly PendingCommand[]) => void;
  readonly report: (problem: ClientProblem) => void;
}

/** See `ClientOptions`. */
export interface CommandsOptions {
  readonly commandTimeoutMs: number;
  readonly maxPendingCommands: number;
  readonly outbox?: CommandOutbox;
}

interface Waiting {
  command: PendingCommand;
  readonly text: string;
  readonly answer: Deferred<CommandResult>;
  /** Connected time left. */
  leftMs: number;
  sinceMs: number;
  deadline?: TimerHandle;
  retry?: TimerHandle;
  rateLimited?: boolean;
}

const RETRY_MS = 1_000;

/** Creates a client's commands; reads the outbox. */
export function createCommands(deps: CommandsDeps, options: CommandsOptions): Commands {
  return new WaitingCommands(deps, options);
}

class WaitingCommands implements Commands {
  pending: readonly PendingCommand[] = [];
  readonly #deps: CommandsDeps;
  readonly #options: CommandsOptions;
  readonly #waiting = new Map<string, Waiting>();
  #connected = false;
  #maxMessageBytes: number = CLIENT_LIMITS.maxMessageBytes;

  constructor(deps: CommandsDeps, options: CommandsOptions) {
    this.#deps = deps;
    this.#options = options;
    const saved = options.outbox?.load() ?? [];
    for (const command of saved.slice(0, options.maxPendingCommands)) {
      const waiting = this.#create(command);
      this.#waiting.set(command.id, waiting);
      waiting.answer.promise.catch((error: ClientError) => {
        const { code, message } = error;
        // Who sent it is gone.
        if (code !== 'COMMAND_CANCELLED') deps.report({ code, message, cause: error, command });
      });
    }
    this.#list();
  }

  async send<T extends SentCommand['type']>(message: ClientMessageOf<T>): Promise<CommandResult<T>> {
    // A copy: it may be sent, or saved, much later.
    const command = JSON.parse(JSON.stringify({ id: this.#deps.newId(), message })) as PendingCommand;
    const waiting = this.#create(command);
    this.#refuse(waiting.text);
    this.#waiting.set(command.id, waiting);
    if (this.#connected) this.#start(waiting);
    this.#changed();
    // The server answers a command with the result of its type (protocol §5).
    return (await waiting.answer.promise) as CommandResult<T>;
  }

  cancel(id: string): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || waiting.command.sentAtMs !== undefined) return false;
    this.#reject(id, new ClientError('COMMAND_CANCELLED', 'The command was cancelled.'));
    return true;
  }

  limit(maxMessageBytes: number): void {
    this.#maxMessageBytes = maxMessageBytes;
  }

  connected(): void {
    this.disconnected();
    this.#connected = true;
    for (const waiting of this.#waiting.values()) this.#start(waiting);
    if (this.#waiting.size > 0) this.#changed();
  }

  disconnected(): void {
    if (!this.#connected) return;
    this.#connected = false;
    for (const waiting of this.#waiting.values()) {
      cancelTimers(waiting);
      waiting.leftMs -= this.#deps.clock.monotonicMs() - waiting.sinceMs;
    }
  }

  accepted(ref: string, result: CommandResult): void {
    this.#take(ref)?.answer.resolve(result);
  }

  rejected(ref: string, error: ErrorBody): boolean {
    const waiting = this.#waiting.get(ref);
    if (waiting === undefined) return false;
    const delayMs = retryDelayMs(waiting, error);
    const leftMs = waiting.leftMs - (this.#deps.clock.monotonicMs() - waiting.sinceMs);
    if (delayMs === undefined || delayMs >= leftMs) {
      this.#reject(ref, rejectionOf(error));
      return true;
    }
    waiting.rateLimited ||= error.code === 'RATE_LIMITED';
    waiting.retry?.cancel();
    waiting.retry = this.#deps.clock.setTimer(delayMs, () => this.#deps.transmit(waiting.text));
    return true;
  }

  rejectAll(error: ClientError, keep: boolean): void {
    for (const waiting of this.#waiting.values()) {
      cancelTimers(waiting);
      waiting.answer.reject(error);
    }
    this.#waiting.clear();
    if (keep) this.#list();
    else this.#changed();
  }

  #create(command: PendingCommand): Waiting {
    return {
      command,
      text: JSON.stringify({ ...command.message, id: command.id }),
      answer: createDeferred<CommandResult>(),
      leftMs: this.#options.commandTimeoutMs,
      sinceMs: 0,
    };
  }

  #refuse(text: string): void {
    const { maxPendingCommands } = this.#options;
    if (this.#waiting.size >= maxPendingCommands) {
      throw new ClientError('TOO_MANY_PENDING', `${maxPendingCommands} commands wait for an answer already.`);
    }
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > this.#maxMessageBytes) {
      const details = { bytes, maxBytes: this.#maxMessageBytes, retryable: false };
      throw new ClientError('MESSAGE_TOO_LARGE', 'The message is too large.', { details });
    }
  }

  #start(waiting: Waiting): void {
    const { clock, transmit } = this.#deps;
    const { id, sentAtMs = clock.nowMs() } = waiting.command;
    waiting.command = { ...waiting.command, sentAtMs };
    waiting.sinceMs = clock.monotonicMs();
    // After so long the server may have forgotten the id, and would do the command again.
    const isForgotten = clock.nowMs() - sentAtMs >= CLIENT_LIMITS.commandRetentionMs;
    waiting.deadline = clock.setTimer(isForgotten ? 0 : Math.max(0, waiting.leftMs), () => {
      const message = 'The server did not answer; the outcome is unknown.';
      this.#reject(id, new ClientError('COMMAND_UNANSWERED', message));
    });
    if (!isForgotten) transmit(waiting.text);
  }

  #reject(id: string, error: ClientError): void {
    this.#take(id)?.answer.reject(error);
  }

  #take(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return undefined;
    cancelTimers(waiting);
    this.#waiting.delete(id);
    this.#changed();
    return waiting;
  }

  #list(): void {
    this.pending = Array.from(this.#waiting.values(), ({ command }) => command);
  }

  #changed(): void {
    this.#list();
    try {
      this.#options.outbox?.save(this.pending);
    } catch (cause) {
      this.#deps.report({ code: 'STORAGE_FAILED', message: 'The outbox threw.', cause });
    }
    this.#deps.changed(this.pending);
  }
}

function cancelTimers({ deadline, retry }: Waiting): void {
  deadline?.cancel();
  retry?.cancel();
}

/** When to repeat a rejected command by itself; undefined: the rejection is the caller's. */
function retryDelayMs(waiting: Waiting, { code, retryAfterMs }: ErrorBody): number | undefined {
  if (code === 'COMMAND_PENDING' || code === 'NOT_READY') return retryAfterMs ?? RETRY_MS;
  if (code === 'RATE_LIMITED' && !waiting.rateLimited) return retryAfterMs;
  return undefined;
}

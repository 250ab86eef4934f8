import { createHash } from 'node:crypto';
import type { UserId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import { type CommandMessage, type CommandReply, createErrorBody } from '@runwire/protocol';
import type { CommandKey, RunStore } from './contract.js';
import { canonicalJson } from './json-value.js';
import { settledWithin } from './waiting.js';

/** What a gate is built from. */
export interface CommandGateDeps {
  readonly clock: Clock;
  readonly runs: Pick<RunStore, 'recallCommand' | 'rememberCommand'>;
  readonly commandWaitMs: number;
}

/** What a command came to, and whether its reply is already remembered. */
export interface CommandWork {
  readonly reply: CommandReply;
  /** The store wrote the reply together with the work. */
  readonly remembered: boolean;
}

/** The work of a command; undefined when its asker went away before anything was done. */
export type DoCommand = () => Promise<CommandWork | undefined>;

interface CommandUnderWay {
  readonly bodyHash: string;
  readonly reply: Promise<CommandReply | undefined>;
}

/** The id of a command with the hash of its body; undefined for one without an id. */
export function commandKey(message: CommandMessage): CommandKey | undefined {
  const { id, ...body } = message;
  if (id === undefined) return undefined;
  return { id, bodyHash: createHash('sha256').update(canonicalJson(body)).digest('hex') };
}

/** Lets each command with an id be done once (protocol §5); others pass. */
export class CommandGate {
  readonly #deps: CommandGateDeps;
  readonly #underWay = new Map<string, CommandUnderWay>();

  constructor(deps: CommandGateDeps) {
    this.#deps = deps;
  }

  /** Undefined when the asker went away before anything was done. */
  async once(
    userId: UserId,
    key: CommandKey | undefined,
    work: DoCommand,
  ): Promise<CommandReply | undefined> {
    if (key === undefined) return (await work())?.reply;
    const name = `${userId} ${key.id}`;
    for (;;) {
      const first = this.#underWay.get(name);
      if (first === undefined) break;
      const reply = await this.#join(first, key);
      // When the first one's asker went away, the next one does the work.
      if (reply !== undefined) return reply;
    }
    const reply = this.#first(userId, key, work).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, { bodyHash: key.bodyHash, reply });
    return await reply;
  }

  async #join(first: CommandUnderWay, key: CommandKey): Promise<CommandReply | undefined> {
    if (first.bodyHash !== key.bodyHash) return { rejected: createErrorBody('COMMAND_ID_REUSED') };
    const { clock, commandWaitMs } = this.#deps;
    const isDone = await settledWithin(clock, commandWaitMs, first.reply);
    return isDone ? await first.reply : { rejected: createErrorBody('COMMAND_PENDING') };
  }

  async #first(userId: UserId, key: CommandKey, work: DoCommand): Promise<CommandReply | undefined> {
    const { runs } = this.#deps;
    const recalled = await runs.recallCommand(userId, key);
    if (recalled.kind === 'done') return recalled.reply;
    if (recalled.kind === 'reused') return { rejected: createErrorBody('COMMAND_ID_REUSED') };
    const done = await work();
    if (done === undefined) return undefined;
    const { reply, remembered } = done;
    if (remembered || ('rejected' in reply && reply.rejected.retryable)) return reply;
    return await runs.rememberCommand(userId, key, reply);
  }
}

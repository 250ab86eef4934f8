import type {
  AppendResult,
  EncodedBatch,
  EventLog,
  OpenRun,
  ReadResult,
  Unsubscribe,
} from '@runwire/event-log';
import type { ThreadId, UserId } from '@runwire/id-generation';
import { isCodedError } from '@runwire/kernel';
import type { EventDraft, StreamInfo } from '@runwire/protocol';
import type { Actor } from '../scheduler.js';
import type { Tally } from '../tally.js';
import type { Ledger } from './ledger.js';

/** Who is told of what happens to a log. */
export interface ObservedLogDeps {
  /** Undefined: acknowledgements are noted elsewhere. */
  readonly ledger: Ledger | undefined;
  readonly process: Actor;
  readonly reached: (point: 'append' | 'appended') => void;
  /** Awaited by whoever has read: a log may take its time. */
  readonly readDelay: () => Promise<void> | undefined;
  readonly tally: Tally;
}

/** The log as a process has it, with every acknowledgement and subscription noted. */
export class ObservedLog implements EventLog {
  readonly #log: EventLog;
  readonly #deps: ObservedLogDeps;
  #subscriptions = 0;

  constructor(log: EventLog, deps: ObservedLogDeps) {
    this.#log = log;
    this.#deps = deps;
  }

  /** Subscriptions that were not undone. */
  get subscriptions(): number {
    return this.#subscriptions;
  }

  async append(
    userId: UserId,
    drafts: readonly EventDraft[],
    options?: Parameters<EventLog['append']>[2],
  ): Promise<AppendResult> {
    const { ledger, process, reached, tally } = this.#deps;
    reached('append');
    try {
      // Nothing in between: the wake comes a moment after the result.
      const result = await this.#log.append(userId, drafts, options);
      if (result.duplicate) tally.count('append duplicate');
      // A process that died meanwhile was told nothing.
      if (process.isAlive) ledger?.acknowledged(userId, drafts, result);
      reached('appended');
      return result;
    } catch (cause) {
      tally.count(`append ${isCodedError(cause) ? cause.code : 'failed'}`);
      throw cause;
    }
  }

  async read(...args: Parameters<EventLog['read']>): Promise<ReadResult> {
    const result = await this.#log.read(...args);
    await this.#deps.readDelay();
    return result;
  }

  async stream(userId: UserId): Promise<StreamInfo> {
    const result = await this.#log.stream(userId);
    await this.#deps.readDelay();
    return result;
  }

  subscribe(userId: UserId, onWake: (batch?: EncodedBatch) => void): Unsubscribe {
    const undo = this.#log.subscribe(userId, onWake);
    this.#subscriptions += 1;
    let isSubscribed = true;
    return () => {
      if (isSubscribed) this.#subscriptions -= 1;
      isSubscribed = false;
      undo();
    };
  }

  async openRuns(userId?: UserId): Promise<readonly OpenRun[]> {
    return await this.#log.openRuns(userId);
  }

  async erase(userId: UserId, what: { readonly threadId: ThreadId }): Promise<number> {
    return await this.#log.erase(userId, what);
  }

  async trim(userId: UserId, range: { readonly before: number }): Promise<void> {
    await this.#log.trim(userId, range);
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

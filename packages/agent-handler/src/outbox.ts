import type { Producer } from '@runwire/event-log';
import type { UserId } from '@runwire/id-generation';
import { type Clock, isCodedError, type Logger, type TimerHandle } from '@runwire/kernel';
import { type EventDraft, TERMINAL_EVENT_TYPE } from '@runwire/protocol';
import type { Outbox, OutboxEntry, RunStore } from './contract.js';
import { type AgentRuntimeOptions, resolveOptions } from './options.js';

/** What an outbox is built from. */
export interface OutboxDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runs: Pick<RunStore, 'pendingOutbox' | 'markAppended'>;
  /** Appends under a producer key; a repeat does nothing. */
  readonly append: (userId: UserId, drafts: readonly EventDraft[], producer: Producer) => Promise<unknown>;
}

/** Creates an outbox over a store and a log. */
export function createOutbox(deps: OutboxDeps, options?: AgentRuntimeOptions): Outbox {
  const { retryMinDelayMs, retryMaxDelayMs } = resolveOptions(options);
  return new StoreOutbox(deps, { retryMinDelayMs, retryMaxDelayMs });
}

class StoreOutbox implements Outbox {
  readonly #deps: OutboxDeps;
  readonly #delays: { readonly retryMinDelayMs: number; readonly retryMaxDelayMs: number };
  #timer: TimerHandle | undefined;
  #delayMs: number;
  /** Set while a round is under way. */
  #isRepeating = false;
  /** Something may have been added behind the round under way. */
  #isAskedAgain = false;
  #isClosed = false;
  /** Users whose events the storage did not take at the last repeat. */
  #waiting: ReadonlySet<UserId> = new Set();

  constructor(
    deps: OutboxDeps,
    delays: { readonly retryMinDelayMs: number; readonly retryMaxDelayMs: number },
  ) {
    this.#deps = deps;
    this.#delays = delays;
    this.#delayMs = delays.retryMinDelayMs;
  }

  async repeat(): Promise<{ readonly appended: number; readonly failed: number }> {
    const pending = await this.#deps.runs.pendingOutbox();
    const failed = new Set<UserId>();
    const waiting = new Set<UserId>();
    let appended = 0;
    for (const entry of pending) {
      // The order of one user's events is kept: behind one that failed the others wait.
      if (failed.has(entry.userId)) continue;
      const outcome = await this.#append(entry);
      if (outcome === 'appended') appended += 1;
      else failed.add(entry.userId);
      if (outcome === 'notTaken') waiting.add(entry.userId);
    }
    this.#waiting = waiting;
    return { appended, failed: pending.length - appended };
  }

  isWaiting(userId: UserId): boolean {
    return this.#waiting.has(userId);
  }

  repeatSoon(): void {
    if (this.#isClosed) return;
    if (this.#isRepeating) {
      this.#isAskedAgain = true;
      return;
    }
    this.#timer?.cancel();
    this.#timer = undefined;
    void this.#round();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #round(): Promise<void> {
    this.#isRepeating = true;
    this.#isAskedAgain = false;
    let isDone = false;
    try {
      isDone = (await this.repeat()).failed === 0;
    } catch (cause) {
      this.#deps.logger.error({ err: cause }, 'The outbox could not be read.');
    }
    this.#isRepeating = false;
    if (this.#isClosed) return;
    if (isDone) {
      this.#delayMs = this.#delays.retryMinDelayMs;
      if (this.#isAskedAgain) this.repeatSoon();
      return;
    }
    this.#timer = this.#deps.clock.setTimer(this.#delayMs, () => this.repeatSoon());
    this.#delayMs = Math.min(this.#delayMs * 2, this.#delays.retryMaxDelayMs);
  }

  async #append(entry: OutboxEntry): Promise<'appended' | 'notTaken' | 'failed'> {
    const { logger, runs, append } = this.#deps;
    const { userId, drafts, producer } = entry;
    try {
      await this.#appendOnce(entry, append);
      await runs.markAppended(userId, producer);
      return 'appended';
    } catch (cause) {
      logger.error(
        { userId, producer, types: drafts.map(({ type }) => type), err: cause },
        'Events wait in the outbox.',
      );
      return isCodedError(cause, 'LOG_WRITE_FAILED') ? 'notTaken' : 'failed';
    }
  }

  /** A terminal event whose place in its run's appends is lost is appended as the next attempt's first. */
  async #appendOnce({ userId, drafts, producer }: OutboxEntry, append: OutboxDeps['append']): Promise<void> {
    try {
      await append(userId, drafts, producer);
    } catch (cause) {
      const isTerminal = drafts.some(({ type }) => type === TERMINAL_EVENT_TYPE);
      // The log has a terminal event of this run, and SQL gave out just one.
      if (isTerminal && isCodedError(cause, 'RUN_ENDED')) return;
      if (!isTerminal || !(isCodedError(cause, 'PRODUCER_GAP') || isCodedError(cause, 'FENCED'))) throw cause;
      const next = { id: producer.id, attempt: producer.attempt + 1, n: 1 };
      await append(userId, drafts, next).catch((error: unknown) => {
        if (!isCodedError(error, 'RUN_ENDED')) throw error;
      });
    }
  }
}

import type { RunStore, ThreadStore } from '@runwire/agent-handler';
import { createMemoryStores } from '@runwire/agent-handler/testing';
import type { RunId, ThreadId, UserId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import type { Prng } from '../prng.js';
import type { Actor, Scheduler } from '../scheduler.js';
import { scriptOf } from './agent.js';

/** What a database is made of. */
export interface DatabaseDeps {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** How long a transaction takes, at most. */
  readonly maxTransactionMs: number;
  /** The message that asks for this script was accepted a second time. */
  readonly acceptedAgain: (script: number) => void;
}

/** The stores as one process reaches them. */
export interface DatabaseSession {
  readonly runs: RunStore;
  readonly threads: ThreadStore;
}

/**
 * The double of SQL: it outlives every process, commits a transaction whole at one instant, and answers a while
 * later. A process that dies between the two leaves the commit behind.
 */
export class Database {
  /** From now on every transaction fails, before it has done anything. */
  isFailing = false;
  readonly #deps: DatabaseDeps;
  readonly #stores: DatabaseSession;
  readonly #runs = new Map<UserId, RunId[]>();
  readonly #byScript = new Map<number, RunId[]>();
  readonly #threadOf = new Map<RunId, ThreadId>();
  readonly #deleted = new Set<ThreadId>();

  constructor(deps: DatabaseDeps) {
    this.#deps = deps;
    const stores = createMemoryStores(deps);
    this.#stores = { runs: this.#noting(stores.runs), threads: stores.threads };
  }

  /** The stores without the way to them: for looking. */
  get stores(): DatabaseSession {
    return this.#stores;
  }

  /** Every run that was accepted, those of deleted threads left out. */
  runsOf(userId: UserId): readonly RunId[] {
    const runs = this.#runs.get(userId) ?? [];
    return this.#deleted.size === 0
      ? runs
      : runs.filter((runId) => !this.isDeleted(this.#threadOf.get(runId)));
  }

  /** The user's threads, those deleted left out. */
  threadsOf(userId: UserId): readonly ThreadId[] {
    const threads = this.runsOf(userId).map((runId) => this.#threadOf.get(runId));
    return [...new Set(threads.filter((threadId) => threadId !== undefined))];
  }

  /** Begins a deletion: from now on nothing is accepted for the thread. */
  beginDeletion(threadId: ThreadId): void {
    this.#deleted.add(threadId);
  }

  isDeleted(threadId: ThreadId | undefined): boolean {
    return threadId !== undefined && this.#deleted.has(threadId);
  }

  /** The runs of a thread that have not ended. */
  async openRunsOf(threadId: ThreadId): Promise<readonly RunId[]> {
    const open = await this.#stores.runs.openRuns();
    return open.filter((run) => run.threadId === threadId).map(({ runId }) => runId);
  }

  /** The runs that a script has become: one at most. */
  runsFor(script: number): readonly RunId[] {
    return this.#byScript.get(script) ?? [];
  }

  /** Opens the way from a process. `reached` is told of each commit, before and after. */
  open(process: Actor, reached: (point: 'transaction' | 'committed') => void): DatabaseSession {
    const { runs, threads } = this.#stores;
    const call = async (perform: () => Promise<unknown>): Promise<unknown> => {
      reached('transaction');
      return await this.#transact(process, perform, () => reached('committed'));
    };
    return { runs: remote(runs, call), threads: remote(threads, call) };
  }

  async #transact(process: Actor, perform: () => Promise<unknown>, committed: () => void): Promise<unknown> {
    const { scheduler, prng, maxTransactionMs } = this.#deps;
    await scheduler.delay(process, prng.next() * maxTransactionMs, 'sql');
    if (this.isFailing) throw Object.assign(new Error('SQLITE_IOERR'), { code: 'SQLITE_IOERR' });
    const result = await perform();
    committed();
    await scheduler.delay(process, prng.next() * maxTransactionMs * 0.2, 'sql answer');
    return result;
  }

  #noting(runs: RunStore): RunStore {
    return new Proxy(runs, {
      get: (target, name) => {
        if (name !== 'acceptMessage') return bound(target, name);
        return async (request: Parameters<RunStore['acceptMessage']>[0]) => {
          if (this.isDeleted(request.thread.threadId)) return { kind: 'threadNotFound' };
          const outcome = await target.acceptMessage(request);
          if (outcome.kind === 'accepted') this.#accepted(request);
          return outcome;
        };
      },
    });
  }

  #accepted({ userId, runId, parts, thread }: Parameters<RunStore['acceptMessage']>[0]): void {
    this.#runs.set(userId, [...(this.#runs.get(userId) ?? []), runId]);
    this.#threadOf.set(runId, thread.threadId);
    const { number } = scriptOf(parts.map(({ text }) => text).join(''));
    if (this.runsFor(number).length > 0) this.#deps.acceptedAgain(number);
    this.#byScript.set(number, [...this.runsFor(number), runId]);
  }
}

/** The same store, each of whose methods is called through `call`. */
function remote<T extends object>(store: T, call: (perform: () => Promise<unknown>) => Promise<unknown>): T {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = bound(target, name);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => call(() => Reflect.apply(method, undefined, args) as Promise<unknown>);
    },
  });
}

function bound(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name);
  return typeof value === 'function' ? value.bind(target) : value;
}

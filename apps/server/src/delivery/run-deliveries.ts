import type { DeliveryAck } from '@runwire/bridge-factory';
import type { ConnectionId, RunId, UserId } from '@runwire/id-generation';
import type { Clock } from '@runwire/kernel';
import { TERMINAL_EVENT_TYPE } from '@runwire/protocol';
import type { Appended } from './observed-log.js';

/** When the last event of a run was appended, and which connections have applied it since. */
export interface RunDelivery {
  readonly lastSeq: number;
  /** Null when the log had it already: an earlier process may have appended it. */
  readonly appendedAtMs: number | null;
  /** In the order of their acknowledgements. */
  readonly appliedBy: readonly {
    readonly connectionId: ConnectionId;
    readonly appliedAtMs: number;
  }[];
}

/** How much is remembered. */
export interface RunDeliveriesOptions {
  /** Ended runs of the process; beyond it the one that ended first is forgotten. @defaultValue 1_000 */
  readonly maxRuns?: number;
  /** Connections of one run; later ones are not recorded. @defaultValue 32 */
  readonly maxConnectionsPerRun?: number;
}

interface EndedRun extends RunDelivery {
  readonly userId: UserId;
  readonly runId: RunId;
  readonly appliedBy: { readonly connectionId: ConnectionId; readonly appliedAtMs: number }[];
}

/** Remembers, of the runs that ended last, who has seen their end. In memory: it is a look at what is happening. */
export class RunDeliveries {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #options: Required<RunDeliveriesOptions>;
  /** In the order of their ends. */
  readonly #runs = new Map<RunId, EndedRun>();
  /** Each user's, by rising `lastSeq`. */
  readonly #ofUser = new Map<UserId, EndedRun[]>();

  constructor(clock: Pick<Clock, 'nowMs'>, options: RunDeliveriesOptions = {}) {
    this.#clock = clock;
    this.#options = { maxRuns: 1_000, maxConnectionsPerRun: 32, ...options };
  }

  get size(): number {
    return this.#runs.size;
  }

  find(userId: UserId, runId: RunId): RunDelivery | undefined {
    const run = this.#runs.get(runId);
    return run?.userId === userId ? run : undefined;
  }

  noteAppended({ userId, drafts, result }: Appended): undefined {
    drafts.forEach(({ type, runId }, index) => {
      if (type !== TERMINAL_EVENT_TYPE || runId === undefined || this.#runs.has(runId as RunId)) return;
      const lastSeq = result.firstSeq + index;
      const appendedAtMs = result.duplicate ? null : this.#clock.nowMs();
      this.#add({ userId, runId: runId as RunId, lastSeq, appendedAtMs, appliedBy: [] });
    });
  }

  noteAcked({ userId, connectionId, seq, events }: DeliveryAck): void {
    const runs = this.#ofUser.get(userId) ?? [];
    for (let index = runs.length - 1; index >= 0; index -= 1) {
      const run = runs[index];
      // What lies before was acknowledged by earlier acks of the connection.
      if (run === undefined || run.lastSeq <= seq - events) return;
      if (run.lastSeq > seq || run.appliedBy.length >= this.#options.maxConnectionsPerRun) continue;
      if (run.appliedBy.some((known) => known.connectionId === connectionId)) continue;
      run.appliedBy.push({ connectionId, appliedAtMs: this.#clock.nowMs() });
    }
  }

  #add(run: EndedRun): void {
    this.#runs.set(run.runId, run);
    const own = this.#ofUser.get(run.userId);
    if (own === undefined) this.#ofUser.set(run.userId, [run]);
    else own.push(run);
    if (this.#runs.size > this.#options.maxRuns) this.#forgetFirst();
  }

  #forgetFirst(): void {
    const [first] = this.#runs.values();
    if (first === undefined) return;
    this.#runs.delete(first.runId);
    const rest = this.#ofUser.get(first.userId)?.filter((run) => run !== first) ?? [];
    if (rest.length === 0) this.#ofUser.delete(first.userId);
    else this.#ofUser.set(first.userId, rest);
  }
}

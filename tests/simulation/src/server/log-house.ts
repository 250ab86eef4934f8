import { createMemoryEventLog, type EventLog } from '@runwire/event-log';
import { openFileEventLog } from '@runwire/event-log-file';
import type { IdGenerator, UserId } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import { type ActorClock, createActorClock } from '../actor-clock.js';
import type { Ledger } from '../audit/ledger.js';
import { ObservedLog } from '../audit/observed-log.js';
import type { CrashPoint, WorldPlan } from '../plan.js';
import type { Prng } from '../prng.js';
import type { Actor, Scheduler } from '../scheduler.js';
import type { Tally } from '../tally.js';
import type { SimulatedDisk } from './disk.js';
import { openSharedLog } from './shared-log.js';

/** What a log house is made of. */
export interface LogHouseDeps {
  readonly plan: WorldPlan;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly logger: (process: string) => Logger;
  readonly disk: SimulatedDisk;
  readonly ledger: Ledger;
  readonly tally: Tally;
  readonly users: readonly UserId[];
}

/** A process that wants its log. */
export interface LogTenant {
  readonly actor: Actor;
  readonly clock: ActorClock;
  readonly ids: IdGenerator;
  /** Its work has come to this point. */
  readonly reached: (point: CrashPoint) => void;
}

/** Opens the log of each process: what is left of the last one's, by the kind that the plan has. */
export class LogHouse {
  /** The machine lost its power, and its disk what it had not synced. */
  hasLostPower = false;
  readonly #deps: LogHouseDeps;
  #shared: EventLog | undefined;

  constructor(deps: LogHouseDeps) {
    this.#deps = deps;
  }

  /** Rejects when the storage does not let it. */
  async open(tenant: LogTenant): Promise<ObservedLog> {
    const { ledger, users, plan, tally } = this.#deps;
    const { actor: process, reached } = tenant;
    const log = await this.#openStorage(tenant);
    const mayLose = plan.log.kind === 'memory' || this.hasLostPower;
    this.hasLostPower = false;
    const isShared = plan.log.kind === 'shared';
    if (!isShared) for (const userId of users) await ledger.opened(log, userId, mayLose);
    // What others may see before this process has its answer is noted where it happens.
    const noting = isShared ? undefined : ledger;
    return new ObservedLog(log, {
      ledger: noting,
      process,
      reached,
      readDelay: this.#readDelayOf(process),
      tally,
    });
  }

  async #openStorage({ actor, clock, ids, reached }: LogTenant): Promise<EventLog> {
    const { plan, logger, disk, scheduler, prng } = this.#deps;
    const retention = { maxEvents: plan.limits.retentionEvents };
    const deps = { clock, ids, logger: logger(actor.name) };
    switch (plan.log.kind) {
      case 'memory':
        return createMemoryEventLog(deps, { retention });
      case 'file': {
        const mounted = disk.mount(actor, () => reached('write'));
        return await openFileEventLog(
          { ...deps, disk: mounted },
          { ...plan.log, directory: 'log', retention },
        );
      }
      case 'shared': {
        this.#shared ??= this.#createShared(ids);
        const { maxLatencyMs } = plan.log;
        return openSharedLog(actor, {
          scheduler,
          prng: prng.fork(actor.name),
          log: this.#shared,
          maxLatencyMs,
        });
      }
    }
  }

  /** A machine of its own, which nothing happens to. */
  #createShared(ids: IdGenerator): EventLog {
    const { scheduler, prng, logger, plan, ledger, tally } = this.#deps;
    const process = scheduler.createActor('shared log');
    const clock = createActorClock({ scheduler, prng: prng.fork('shared log') }, process, plan.nodeClock);
    const retention = { maxEvents: plan.limits.retentionEvents };
    const log = createMemoryEventLog({ clock, ids, logger: logger(process.name) }, { retention });
    const nothing = (): undefined => undefined;
    return new ObservedLog(log, { ledger, process, reached: nothing, readDelay: nothing, tally });
  }

  #readDelayOf(process: Actor): () => Promise<void> | undefined {
    const { plan, scheduler, prng } = this.#deps;
    const { maxReadMs } = plan;
    const random = prng.fork(`reads of ${process.name}`);
    return () =>
      maxReadMs === 0 ? undefined : scheduler.delay(process, random.next() * maxReadMs, 'log read');
  }
}

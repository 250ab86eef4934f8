import { createIdGenerator, type UserId } from '@runwire/id-generation';
import type { ResetReason } from '@runwire/protocol';
import { createActorClock } from './actor-clock.js';
import { CommandAudit } from './audit/commands.js';
import { Ledger } from './audit/ledger.js';
import { SaidText } from './audit/productions.js';
import { Verdicts } from './audit/verdicts.js';
import { Network } from './network/network.js';
import { Requests } from './network/requests.js';
import { Tab, type TabDeps } from './page/tab.js';
import type { Plan } from './plan.js';
import { createPrng, type Prng } from './prng.js';
import { type Actor, Scheduler } from './scheduler.js';
import { Cluster } from './server/cluster.js';
import { Database } from './server/database.js';
import { SimulatedDisk } from './server/disk.js';
import { Tokens } from './server/tokens.js';
import { createService } from './service.js';
import { Tally } from './tally.js';
import type { Trace } from './trace.js';
import { describeCause, Watch } from './watch.js';

/** A right clock. */
const RIGHT = { skewMs: 0, maxTimerDelayMs: 1, maxTimerLeadMs: 0 };
/** So many events are never kept in a seed. */
const UNLIMITED_EVENTS = 1_000_000;

/** A world made from a plan: users and their tabs, a network, servers, and what watches over the promises. */
export class World {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly verdicts: Verdicts;
  readonly tally = new Tally();
  readonly ledger: Ledger;
  readonly commands: CommandAudit;
  readonly said = new SaidText();
  readonly network: Network;
  readonly requests: Requests;
  readonly disk: SimulatedDisk;
  readonly database: Database;
  readonly tokens: Tokens;
  readonly cluster: Cluster;
  readonly tabs: readonly Tab[];
  readonly users: ReadonlyMap<string, UserId>;
  /** Fate: whatever is done by nobody in particular. */
  readonly fate: Actor;
  /** Deletions of threads under way. */
  deletions = 0;
  readonly #trace: Trace;
  readonly #prng: Prng;
  readonly #watch: Watch;
  readonly #excuses: Set<ResetReason>;

  constructor(plan: Plan, trace: Trace) {
    const { world } = plan;
    const prng = createPrng(plan.seed);
    this.plan = plan;
    this.#trace = trace;
    this.#prng = prng;
    this.#excuses = new Set(world.limits.retentionEvents < UNLIMITED_EVENTS ? ['trimmed'] : []);
    this.verdicts = new Verdicts(() => this.scheduler.nowMs);
    this.scheduler = this.#createScheduler();
    const { scheduler, verdicts } = this;
    this.fate = scheduler.createActor('fate');
    this.ledger = new Ledger(verdicts);
    this.commands = new CommandAudit(verdicts);
    this.#watch = new Watch({ limits: world.limits, verdicts, note: (who, what) => this.note(who, what) });
    this.network = this.#createNetwork();
    this.requests = new Requests({ scheduler, prng: prng.fork('requests'), kernel: this.fate });
    this.disk = new SimulatedDisk({ scheduler, prng: prng.fork('disk') });
    const clock = createActorClock({ scheduler, prng: prng.fork('clock') }, this.fate, RIGHT);
    const ids = createIdGenerator({ clock, random: () => prng.next() });
    this.users = new Map(
      [...new Set(world.tabs.map(({ user }) => user))].map((name) => [name, ids.userId()]),
    );
    this.database = new Database({
      scheduler,
      prng: prng.fork('database'),
      clock,
      maxTransactionMs: world.maxTransactionMs,
      acceptedAgain: (script) => verdicts.violated('command', `#${script} was done twice`),
    });
    this.tokens = new Tokens({
      scheduler,
      prng: prng.fork('tokens'),
      clock,
      ids,
      lifetimeMs: world.tokenLifetimeMs,
    });
    this.cluster = this.#createCluster();
    this.tabs = this.#createTabs();
  }

  /** Notes something for a reader of the trace. */
  note(who: string, what: () => string): void {
    this.#trace.note(this.scheduler.nowMs, who, what);
  }

  /** From now on a cursor may not be honoured for this reason. */
  excuse(reason: ResetReason): void {
    this.#excuses.add(reason);
  }

  #createScheduler(): Scheduler {
    return new Scheduler({
      prng: this.#prng.fork('scheduler'),
      trace: this.#trace,
      uncaught: (actor, cause) =>
        this.verdicts.violated('uncaught', `in ${actor.name}: ${describeCause(cause)}`),
    });
  }

  #createNetwork(): Network {
    return new Network({
      scheduler: this.scheduler,
      prng: this.#prng.fork('network'),
      kernel: this.fate,
      listeners: () =>
        this.cluster.listening.map(({ actor, sockets }) => ({
          actor,
          accept: (socket, upgrade) => sockets.connectSocket(socket, upgrade),
        })),
      serverSent: (connection, frames) => {
        this.#watch.sent(connection, frames);
        if (connection.node !== undefined) this.cluster.sent(connection.node);
      },
    });
  }

  #createCluster(): Cluster {
    const { scheduler, network, requests, database, disk, tokens, ledger, said, tally } = this;
    return new Cluster({
      plan: this.plan.world,
      scheduler,
      prng: this.#prng.fork('cluster'),
      logger: (process) => this.#watch.logger(process),
      network,
      requests,
      database,
      disk,
      tokens,
      ledger,
      productions: said,
      tally,
      users: [...this.users.values()],
      excuses: this.#excuses,
      inFlight: (unackedBytes, largestFrameBytes) => this.#watch.inFlight(unackedBytes, largestFrameBytes),
      note: (who, what) => this.note(who, what),
    });
  }

  #createTabs(): readonly Tab[] {
    const { scheduler, network, requests, verdicts, ledger, commands, cluster, database, tokens, tally } =
      this;
    const deps: TabDeps = {
      scheduler,
      prng: this.#prng.fork('tabs'),
      network,
      requests,
      service: createService({ cluster, database, tokens, prng: this.#prng.fork('service') }),
      verdicts,
      ledger,
      commands,
      tally,
      excuses: this.#excuses,
      note: (who, what) => this.note(who, what),
    };
    return this.plan.world.tabs.map((plan) => {
      const userId = this.users.get(plan.user);
      if (userId === undefined) throw new RangeError(`There is no user ${plan.user}.`);
      return new Tab(plan, userId, deps);
    });
  }
}

import type { UserId } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import type { ResetReason } from '@runwire/protocol';
import { type ActorClock, createActorClock } from '../actor-clock.js';
import type { Ledger } from '../audit/ledger.js';
import type { Network } from '../network/network.js';
import type { Requests } from '../network/requests.js';
import type { ActionOf, CrashPoint, WorldPlan } from '../plan.js';
import type { Prng } from '../prng.js';
import type { Actor, Scheduler } from '../scheduler.js';
import type { Tally } from '../tally.js';
import type { Productions } from './agent.js';
import type { Database } from './database.js';
import type { SimulatedDisk } from './disk.js';
import { LogHouse } from './log-house.js';
import { ServerNode } from './node.js';
import type { Tokens } from './tokens.js';

/** What a cluster is made of. */
export interface ClusterDeps {
  readonly plan: WorldPlan;
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly logger: (process: string) => Logger;
  readonly network: Network;
  readonly requests: Requests;
  readonly database: Database;
  readonly disk: SimulatedDisk;
  readonly tokens: Tokens;
  readonly ledger: Ledger;
  readonly productions: Productions;
  readonly tally: Tally;
  readonly users: readonly UserId[];
  /** Why a cursor may not be honoured, from now on. */
  readonly excuses: Set<ResetReason>;
  readonly inFlight: (unackedBytes: number, largestFrameBytes: number) => void;
  readonly note: (who: string, what: () => string) => void;
}

/** One place where a process runs, and its successors. */
interface Slot {
  readonly index: number;
  lives: number;
  actor: Actor | undefined;
  clock: ActorClock | undefined;
  node: ServerNode | undefined;
  /** Kills the process at a point of its work. */
  trap: (ActionOf<'crash'> & { passes: number }) | undefined;
}

/** Whoever watches over the processes starts one again so long after it failed to start. */
const RESTART_MS = 700;
/** In shutdown times. */
const PATIENCE = 1.5;

/** The server processes, one after the other in each slot, with what outlives them. */
export class Cluster {
  readonly #deps: ClusterDeps;
  readonly #slots: readonly Slot[];
  readonly #logs: LogHouse;
  /** Starts processes, and kills those that do not end. */
  readonly #watcher: Actor;

  constructor(deps: ClusterDeps) {
    this.#deps = deps;
    this.#logs = new LogHouse({ ...deps, prng: deps.prng.fork('logs') });
    this.#watcher = deps.scheduler.createActor('watcher');
    this.#slots = Array.from({ length: deps.plan.nodes }, (_, index) => ({
      index,
      lives: 0,
      actor: undefined,
      clock: undefined,
      node: undefined,
      trap: undefined,
    }));
  }

  /** The processes that take connections. */
  get listening(): readonly ServerNode[] {
    return this.#slots.flatMap(({ node }) => (node?.isListening === true ? [node] : []));
  }

  /** Whether every slot has a process that is there to stay. */
  get isWhole(): boolean {
    return this.#slots.every(({ node }) => node?.isServing === true);
  }

  /** Starts a process in every slot where there is none, one after the other: the first has recovery to do. */
  start(): void {
    if (this.#slots.some(({ actor, node }) => actor !== undefined && node === undefined)) return;
    const slot = this.#slots.find(({ actor }) => actor === undefined);
    if (slot !== undefined) this.#start(slot);
  }

  /** Kills every process, now or when this one is at a point of its work: nobody takes over a single one's runs. */
  crash(action: ActionOf<'crash'>): void {
    const slot = this.#slotOf(action.node);
    if (action.point === 'now') this.#killAll(action);
    else slot.trap = { ...action, passes: 0 };
  }

  /** Nobody waits for a point any more. */
  disarm(): void {
    for (const slot of this.#slots) slot.trap = undefined;
  }

  /** Stops a process in order, and starts another. */
  async restart(index: number, downMs: number): Promise<void> {
    const { note, scheduler } = this.#deps;
    const slot = this.#slotOf(index);
    const { node, actor } = slot;
    if (node === undefined || actor === undefined) return;
    note(actor.name, () => 'SIGTERM');
    if (this.#deps.plan.log.kind === 'memory') this.#deps.excuses.add('epoch');
    // Whoever sends SIGTERM sends SIGKILL in the end.
    const patience = scheduler.schedule(
      this.#watcher,
      PATIENCE * this.#deps.plan.limits.shutdownTimeoutMs,
      'patience',
      () => {
        if (slot.node === node) this.#exit(slot);
      },
    );
    await node.stop();
    patience.cancel();
    if (slot.node !== node) return;
    note(actor.name, () => 'exit 0');
    this.#gone(slot, 'fin');
    scheduler.schedule(this.#watcher, downMs, 'start', () => this.start());
  }

  /** Blocks a process's event loop. */
  block(index: number, ms: number): void {
    const { actor } = this.#slotOf(index);
    if (actor !== undefined) this.#deps.scheduler.stall(actor, ms);
  }

  /** Moves a process's wall clock. */
  jump(index: number, ms: number): void {
    this.#slotOf(index).clock?.jump(ms);
  }

  #slotOf(index: number): Slot {
    const slot = this.#slots[index % this.#slots.length];
    if (slot === undefined) throw new RangeError('A cluster has at least one slot.');
    return slot;
  }

  #start(slot: Slot): void {
    const { plan, scheduler, prng, logger, database, tokens, productions, note } = this.#deps;
    slot.lives += 1;
    const name = `node ${slot.index + 1}.${slot.lives}`;
    const actor = scheduler.createActor(name);
    const random = prng.fork(name);
    const clock = createActorClock({ scheduler, prng: random.fork('clock') }, actor, plan.nodeClock);
    slot.actor = actor;
    slot.clock = clock;
    note(name, () => 'start');
    ServerNode.start({
      actor,
      clock,
      prng: random.fork('node'),
      logger: logger(name),
      database: database.open(actor, (point) => this.#reached(slot, point)),
      productions,
      limits: plan.limits,
      // Where there are several, a run that its process leaves behind has nobody to begin it again.
      retryOnCrash: plan.retryOnCrash && plan.nodes === 1,
      isAlone: this.#slots.every(({ actor: other }) => other === undefined || other === actor),
      openLog: (ids) =>
        this.#logs.open({ actor, clock, ids, reached: (point) => this.#reached(slot, point) }),
      authenticate: (token) => tokens.verify(token, { actor, clock }),
      inFlight: this.#deps.inFlight,
      tally: this.#deps.tally,
    }).then(
      (node) => {
        if (slot.actor !== actor) return;
        slot.node = node;
        note(name, () => 'ready');
        this.start();
      },
      (cause: unknown) => {
        if (slot.actor !== actor) return;
        note(name, () => `could not start: ${String(cause)}`);
        this.#exit(slot);
      },
    );
  }

  #exit(slot: Slot): void {
    if (this.#deps.plan.log.kind === 'file') this.#deps.disk.crashed('process', 0);
    this.#gone(slot, 'fin');
    this.#deps.scheduler.schedule(this.#watcher, RESTART_MS, 'start', () => this.start());
  }

  #kill(slot: Slot, action: ActionOf<'crash'>): void {
    const { disk, excuses, note, scheduler, plan } = this.#deps;
    const { actor } = slot;
    if (actor === undefined) return;
    slot.trap = undefined;
    note(actor.name, () => `${action.how === 'power' ? 'power loss' : 'kill -9'} (${action.point})`);
    this.#deps.tally.count(`${action.how} at ${action.point}`);
    if (plan.log.kind === 'memory') excuses.add('epoch');
    if (plan.log.kind === 'file') {
      disk.crashed(action.how === 'power' ? 'power' : 'process', action.keptBytes);
      if (action.how === 'power' && plan.log.fsync !== 'always') this.#losePower();
    }
    this.#gone(slot, action.news);
    scheduler.schedule(this.#watcher, action.downMs, 'start', () => this.start());
  }

  /** What was not synced is gone: a log may end earlier, begin behind a hole, or be begun anew. */
  #losePower(): void {
    this.#logs.hasLostPower = true;
    for (const reason of ['ahead', 'fork', 'epoch', 'trimmed'] as const) this.#deps.excuses.add(reason);
  }

  #gone(slot: Slot, news: 'fin' | 'rst' | 'silent'): void {
    const { network, requests, scheduler } = this.#deps;
    const { actor, node } = slot;
    slot.actor = undefined;
    slot.node = undefined;
    slot.clock = undefined;
    if (actor === undefined) return;
    node?.countInto(this.#deps.tally);
    scheduler.kill(actor);
    network.nodeDied(actor, news);
    requests.nodeDied(actor);
  }

  #reached(slot: Slot, point: CrashPoint): void {
    const { trap } = slot;
    if (trap?.point !== point) return;
    trap.passes += 1;
    if (trap.passes > trap.after) this.#killAll(trap);
  }

  #killAll(action: ActionOf<'crash'>): void {
    for (const slot of this.#slots) this.#kill(slot, action);
  }

  /** The server's end of a connection of the process has just sent something. */
  sent(process: Actor): void {
    const slot = this.#slots.find(({ actor }) => actor === process);
    if (slot !== undefined) this.#reached(slot, 'frame');
  }
}

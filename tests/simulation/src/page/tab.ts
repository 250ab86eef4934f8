import type { PageSignals } from '@runwire/client';
import type { ThreadId, UserId } from '@runwire/id-generation';
import type { ResetReason } from '@runwire/protocol';
import { type ActorClock, createActorClock } from '../actor-clock.js';
import type { CommandAudit } from '../audit/commands.js';
import type { Ledger } from '../audit/ledger.js';
import type { Verdicts } from '../audit/verdicts.js';
import { Device } from '../network/device.js';
import type { Network } from '../network/network.js';
import type { Requests } from '../network/requests.js';
import type { TabPlan } from '../plan.js';
import type { Prng } from '../prng.js';
import type { Actor, Scheduler } from '../scheduler.js';
import { scriptOf } from '../server/agent.js';
import type { Snapshot } from '../server/snapshot.js';
import type { Tally } from '../tally.js';
import { Page, type PageStore } from './page.js';
import { createPageFetch, type HttpAnswer, type Post, type Serving } from './page-fetch.js';

/** What answers a tab's requests. */
export interface Service {
  readonly snapshot: (userId: UserId, threadId: ThreadId | undefined) => Serving<Snapshot | undefined>;
  readonly threads: (userId: UserId) => Serving<readonly ThreadId[]>;
  readonly probe: () => Serving<HttpAnswer>;
  readonly post: (post: Post) => Serving<HttpAnswer>;
  readonly issueToken: (userId: UserId) => string;
}

/** What a tab is made of. */
export interface TabDeps {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly network: Network;
  readonly requests: Requests;
  readonly service: Service;
  readonly verdicts: Verdicts;
  readonly ledger: Ledger;
  readonly commands: CommandAudit;
  readonly tally: Tally;
  readonly excuses: ReadonlySet<ResetReason>;
  readonly note: (who: string, what: () => string) => void;
}

type Signal = 'online' | 'offline' | 'visible';

/** A tab of a user's browser: its device and what that stores, over all the lives of its page. */
export class Tab {
  readonly name: string;
  readonly userId: UserId;
  readonly device: Device;
  readonly #plan: TabPlan;
  readonly #deps: TabDeps;
  readonly #store: PageStore = { saved: null, savedSince: undefined, commands: [] };
  readonly #listeners = new Set<(signal: Signal) => void>();
  #lives = 0;
  #isOnline = true;
  #actor: Actor | undefined;
  #clock: ActorClock | undefined;
  #page: Page | undefined;

  constructor(plan: TabPlan, userId: UserId, deps: TabDeps) {
    this.name = plan.name;
    this.userId = userId;
    this.#plan = plan;
    this.#deps = deps;
    this.device = new Device({
      name: plan.name,
      remoteAddress: `10.0.0.${deps.network.devices.size + 1}`,
      conditions: plan.path,
      isPage: plan.isPage,
      webSockets: plan.webSockets,
    });
    deps.network.add(this.device);
  }

  /** The page that is open now. */
  get page(): Page | undefined {
    return this.#page;
  }

  /** What its page was told last. */
  get isOnline(): boolean {
    return this.#isOnline;
  }

  get actor(): Actor | undefined {
    return this.#actor;
  }

  get clock(): ActorClock | undefined {
    return this.#clock;
  }

  /** Whether it stores the message with this script, to be sent again. */
  keeps(script: number): boolean {
    return this.#store.commands.some(
      ({ message }) =>
        message.type === 'user_message' &&
        typeof message.content === 'string' &&
        scriptOf(message.content).number === script,
    );
  }

  /** Opens the page; does nothing when it is open. */
  open(): void {
    if (this.#page !== undefined) return;
    const { scheduler, prng } = this.#deps;
    this.#lives += 1;
    const name = `${this.name}.${this.#lives}`;
    const actor = scheduler.createActor(name);
    const random = prng.fork(name);
    this.#actor = actor;
    this.#clock = createActorClock({ scheduler, prng: random.fork('clock') }, actor, this.#plan.clock);
    this.#page = this.#createPage(name, actor, this.#clock, random.fork('page'));
    this.#deps.note(name, () => `open (${this.#plan.page.keeping})`);
    this.#page.connect();
  }

  /** The page is gone; what it stored is not. */
  kill(how: 'goodbye' | 'fin' | 'rst' | 'silent'): void {
    const { scheduler, network, note } = this.#deps;
    const actor = this.#actor;
    if (actor === undefined) return;
    note(actor.name, () => `gone (${how})`);
    scheduler.kill(actor);
    network.pageDied(this.device, how);
    this.#listeners.clear();
    this.#actor = undefined;
    this.#clock = undefined;
    this.#page = undefined;
  }

  /** The device comes online, goes offline, or is looked at again. */
  signal(signal: Signal): void {
    if (signal !== 'visible') this.#isOnline = signal === 'online';
    const actor = this.#actor;
    if (actor === undefined) return;
    this.#deps.note(actor.name, () => signal);
    this.#deps.scheduler.schedule(actor, 0, signal, () => {
      for (const listener of this.#listeners) listener(signal);
    });
  }

  #createPage(name: string, actor: Actor, clock: ActorClock, prng: Prng): Page {
    const { network, requests, service, verdicts, ledger, commands, tally, excuses, note, scheduler } =
      this.#deps;
    const { userId, device } = this;
    const caller = { device, page: actor };
    const signals = this.#signals();
    return new Page(
      {
        name,
        clock,
        prng,
        userId,
        store: this.#store,
        signals,
        verdicts,
        ledger,
        commands,
        tally,
        excuses,
        webSocket: network.webSocketOf(caller),
        fetch: createPageFetch({ ...service, network, requests, caller }),
        getToken: async () => {
          await scheduler.delay(actor, prng.next() * TOKEN_MS, 'get token');
          return service.issueToken(userId);
        },
        loadSnapshot: (threadId) => requests.ask(caller, () => service.snapshot(userId, threadId)),
        listThreads: () => requests.ask(caller, () => service.threads(userId)),
        note: (what) => note(name, what),
      },
      this.#plan.page,
    );
  }

  #signals(): PageSignals {
    const isOnline = (): boolean => this.#isOnline;
    return {
      get online() {
        return isOnline();
      },
      subscribe: (listener) => {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
      },
    };
  }
}

/** How long an application takes to find a token. */
const TOKEN_MS = 20;

import {
  type ClientOptions,
  type ClientProblem,
  type ClientState,
  type ClientStorage,
  type CommandOutbox,
  createRunwireClient,
  type PageSignals,
  type PendingCommand,
  type RunwireClient,
  type SavedState,
} from '@runwire/client';
import type { ThreadId, UserId } from '@runwire/id-generation';
import type { Cursor, ResetReason, RunwireEvent } from '@runwire/protocol';
import type { ActorClock } from '../actor-clock.js';
import type { CommandAudit } from '../audit/commands.js';
import { DeliveryAudit } from '../audit/delivery-audit.js';
import type { Ledger } from '../audit/ledger.js';
import type { Verdicts } from '../audit/verdicts.js';
import type { Prng } from '../prng.js';
import { scriptOf } from '../server/agent.js';
import type { Snapshot } from '../server/snapshot.js';
import type { Tally } from '../tally.js';
import { describeCause } from '../watch.js';
import { type AppState, applyEvent, EMPTY_STATE, stateOf } from './app-state.js';
import { followReader, type Reader } from './reader.js';
import { ThreadPane } from './thread-pane.js';

/**
 * How a page keeps what it shows. `stored`: over reloads, with its cursor. `replayed`: it takes the whole stream
 * anew in each life. `threads`: it opens threads by their snapshots and goes on live.
 */
export type Keeping = 'stored' | 'replayed' | 'threads';

/** Where a device keeps things over reloads. */
export interface PageStore {
  saved: SavedState | null;
  /** Where what is shown by the saved state begins: the auditor's note, not the page's. */
  savedSince: Cursor | undefined;
  commands: readonly PendingCommand[];
}

/** What a page is told of the world around it. */
export interface PageDeps {
  readonly name: string;
  readonly clock: ActorClock;
  readonly prng: Prng;
  readonly userId: UserId;
  readonly store: PageStore;
  readonly signals: PageSignals;
  readonly verdicts: Verdicts;
  readonly ledger: Ledger;
  readonly commands: CommandAudit;
  readonly tally: Tally;
  /** Why a cursor may not be honoured, after what has happened so far. */
  readonly excuses: ReadonlySet<ResetReason>;
  readonly webSocket: NonNullable<ClientOptions['webSocket']>;
  readonly fetch: typeof fetch;
  readonly getToken: () => Promise<string>;
  /** Of one thread, or of all of the user's. */
  readonly loadSnapshot: (threadId?: ThreadId) => Promise<Snapshot | undefined>;
  readonly listThreads: () => Promise<readonly ThreadId[]>;
  readonly note: (what: () => string) => void;
}

/** How a page is written. */
export interface PageOptions {
  readonly keeping: Keeping;
  readonly transport: NonNullable<ClientOptions['transport']>;
  readonly maxBufferedEvents: number;
  /** It also reads `events()`, and takes at most so long for each; 0 when it does not. */
  readonly readerPaceMs: number;
  /** It keeps commands without an answer over reloads. */
  readonly keepsCommands: boolean;
  /** One of its handlers throws once in so many events; 0 when none does. */
  readonly failsOnceIn: number;
  readonly onFailure: 'retry' | 'stop';
}

/** How long a user looks at a page that has stopped because a handler failed. */
const MENDING_MS = 1_500;

/** One life of a page, from its load to its end: the real client and an application on it. */
export class Page {
  readonly client: RunwireClient;
  readonly audit: DeliveryAudit;
  readonly options: PageOptions;
  readonly #deps: PageDeps;
  readonly #pane: ThreadPane | undefined;
  readonly #reader: Reader | undefined;
  #state: AppState;
  /** Where the shown begins: events before it are in it, or were never to be. */
  #since: Cursor | undefined;
  #isWhole = true;
  /** A handler threw, and the event is held back from everybody behind it. */
  #isStuck = false;

  constructor(deps: PageDeps, options: PageOptions) {
    this.#deps = deps;
    this.options = options;
    const saved = options.keeping === 'stored' ? deps.store.saved : null;
    this.#state = (saved?.state as AppState | undefined) ?? EMPTY_STATE;
    this.#since = saved === null ? undefined : deps.store.savedSince;
    this.audit = new DeliveryAudit(deps, saved?.cursor);
    this.client = createRunwireClient(this.#clientOptions(saved));
    this.client.onState((state) => this.#onState(state));
    this.client.onReset((reason) => this.#onReset(reason));
    this.client.onError((problem) => this.#onProblem(problem));
    this.client.onEvent((event) => this.#onEvent(event));
    if (options.failsOnceIn > 0) this.client.onEvent(() => this.#failAtTimes());
    if (options.readerPaceMs > 0)
      this.#reader = followReader(this.client, { ...deps, paceMs: options.readerPaceMs });
    if (options.keeping === 'threads') this.#pane = new ThreadPane({ ...deps, client: this.client });
  }

  /** What the page shows. */
  get state(): AppState {
    return this.#pane?.state ?? this.#state;
  }

  /** Whether the page shows everything there is, from {@link Page.since} on up to its cursor. */
  get isWhole(): boolean {
    return this.#isWhole && (this.#pane?.isWhole ?? true);
  }

  /** Where what it shows begins; undefined before its first connection. */
  get since(): Cursor | undefined {
    return this.#pane === undefined ? this.#since : undefined;
  }

  /** Whether its reader of `events()`, if any, has read everything. */
  get isRead(): boolean {
    return (this.#reader?.unread ?? 0) === 0;
  }

  /** Connects, as an application does when it starts, and when its user presses a button. */
  connect(): void {
    this.client.connect().catch((cause: unknown) => this.#deps.note(() => `connect: ${String(cause)}`));
  }

  #clientOptions(saved: SavedState | null): ClientOptions {
    const { clock, prng, store, signals, webSocket, getToken } = this.#deps;
    const { keeping, keepsCommands, maxBufferedEvents, onFailure, transport } = this.options;
    return {
      url: 'ws://service.test/ws',
      transport,
      getToken,
      clock,
      random: () => prng.next(),
      page: signals,
      webSocket,
      fetch: this.#deps.fetch,
      maxBufferedEvents,
      onHandlerError: onFailure,
      start: keeping === 'threads' ? 'live' : 'beginning',
      ...(keeping === 'threads' ? {} : { loadSnapshot: () => this.#loadSnapshot() }),
      ...(keeping === 'stored' ? { storage: this.#storage(saved) } : {}),
      ...(keepsCommands ? { outbox: outboxOf(store) } : {}),
    };
  }

  #storage(saved: SavedState | null): ClientStorage {
    const { store } = this.#deps;
    return {
      load: () => saved,
      save: (next) => {
        store.saved = next;
        store.savedSince = this.#since;
      },
      state: () => this.#state,
    };
  }

  async #loadSnapshot(): Promise<void> {
    const snapshot = await this.#deps.loadSnapshot();
    if (snapshot === undefined) throw new Error('404');
    this.#state = stateOf(snapshot);
    this.#isWhole = true;
    this.#deps.note(() => `snapshot up to ${snapshot.cursor.seq}`);
    this.#deps.tally.count('client snapshot');
  }

  #onState(state: ClientState): void {
    this.#deps.note(() => describeState(state));
    this.#deps.tally.count(tallyOf(state));
    if (state.kind === 'live') this.#deps.tally.count(`client live over ${this.client.transport}`);
    if (state.kind === 'stopped' && state.code === HANDLER_FAILED) {
      this.#deps.clock.setTimer(MENDING_MS, () => this.connect());
    }
    const { cursor } = this.client;
    if (cursor === undefined) return;
    this.audit.begin(cursor);
    this.#since ??= cursor;
  }

  #onReset(reason: ResetReason): void {
    const { cursor } = this.client;
    this.#deps.note(() => `reset (${reason}) to ${cursor?.seq}`);
    this.#deps.tally.count(`client reset ${reason}`);
    if (cursor === undefined) return;
    if (this.#isStuck) this.#reader?.forgetLast();
    this.#isStuck = false;
    this.audit.reset(cursor, reason);
    this.#since = { epoch: cursor.epoch, seq: 0 };
    this.#isWhole = this.#pane !== undefined;
  }

  #onProblem({ code, message, cause, command }: ClientProblem): void {
    const { commands, note } = this.#deps;
    note(() => `problem ${code}: ${message} ${cause === undefined ? '' : describeCause(cause)}`);
    // The answer to a command of an earlier life, which nobody else is told.
    if (command?.message.type !== 'user_message') return;
    const { content } = command.message;
    if (typeof content === 'string') commands.refused(scriptOf(content).number);
  }

  #failAtTimes(): void {
    const { prng, tally } = this.#deps;
    this.#isStuck = prng.chance(1 / this.options.failsOnceIn);
    if (!this.#isStuck) return;
    tally.count('client handler failed');
    throw new Error('The handler was told to fail.');
  }

  #onEvent(event: RunwireEvent): void {
    this.#deps.note(() => describeEvent(event));
    if (event.from !== undefined) this.#deps.tally.count('client merged event');
    this.audit.handled(event);
    this.#reader?.expect(event.seq);
    if (this.#pane === undefined) this.#state = applyEvent(this.#state, event);
    else this.#pane.noticed(event);
  }
}

/** What a client has stopped with when a handler threw. */
const HANDLER_FAILED = 0;

function outboxOf(store: PageStore): CommandOutbox {
  return {
    load: () => store.commands,
    save: (commands) => {
      store.commands = commands;
    },
  };
}

function tallyOf(state: ClientState): string {
  if (state.kind === 'waiting') return `client waiting ${state.closeCode}`;
  return state.kind === 'stopped' ? `client stopped ${state.code}` : `client ${state.kind}`;
}

function describeState(state: ClientState): string {
  const { kind, ...fields } = state;
  return `${kind} ${JSON.stringify(fields)}`;
}

function describeEvent({ from, seq, type, runId, data }: RunwireEvent): string {
  const range = from === undefined || from === seq ? `${seq}` : `${from}–${seq}`;
  const detail = type === 'agent_delta' && 'offset' in data ? ` +${data.offset}` : '';
  return `← ${range} ${type}${detail} ${runId ?? ''}`;
}

import type { ClientOptions, RunwireClient, RunwireEvent } from '@runwire/client';
import { type Harness, type HttpUser, pause, until } from '../harness/index.js';

/** The end of a run, as its user's client was told. */
export type RunEnd = Extract<RunwireEvent, { readonly type: 'agent_completed' }>;

/** A user who asks and listens, on a client that has the whole stream and reconnects by itself. */
export interface Talker {
  readonly user: HttpUser;
  readonly client: RunwireClient;
  readonly page: TestPage;
  /** Asks, and settles with the end of the answer. */
  readonly talk: (
    content: string,
    options?: { readonly agent?: string; readonly threadId?: string },
  ) => Promise<RunEnd>;
  /** Settles with the end of a run. */
  readonly end: (runId: string) => Promise<RunEnd>;
  /** Settles when the client was handed an event that fits, from now on. */
  readonly next: (fits: (event: RunwireEvent) => boolean) => Promise<RunwireEvent>;
}

/** What users ask when it does not matter what: streams, floods, tools. */
const PROMPTS = [
  'count to 200 at 200 per second',
  'count to 500 at 500 per second',
  'write 200 KB',
  'what is 2 + 3 * 4?',
  'wait 1 seconds',
] as const;

const END_DEADLINE_MS = 60_000;
const HEAL_DEADLINE_MS = 60_000;
/** A client that was dropped again and again waits longer than this only as long as its page says nothing. */
const PATIENCE_MS = 1_000;

/** The page of a client: it says when somebody looks at it, or when the network is back. */
export class TestPage implements NonNullable<ClientOptions['page']> {
  readonly online = true;
  readonly #listeners = new Set<(signal: 'online' | 'offline' | 'visible') => void>();

  subscribe(listener: (signal: 'online' | 'offline' | 'visible') => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  show(signal: 'online' | 'visible'): void {
    for (const listener of this.#listeners) listener(signal);
  }
}

/** Registers users with a connected client each. */
export async function startTalkers(
  harness: Harness,
  count: number,
  options?: Partial<ClientOptions>,
): Promise<readonly Talker[]> {
  return await Promise.all(Array.from({ length: count }, () => startTalker(harness, options)));
}

/** Registers a user, or takes one for a further tab, and connects its client. */
export async function startTalker(
  harness: Harness,
  options: Partial<ClientOptions> = {},
  known?: HttpUser,
): Promise<Talker> {
  const user = known ?? (await harness.register());
  const page = new TestPage();
  const client = harness.client(user, { start: 'beginning', page, ...options });
  const ends = new Map<string, RunEnd>();
  const listeners = new Set<(event: RunwireEvent) => void>();
  client.onEvent((event) => {
    if (event.type === 'agent_completed') ends.set(event.runId, event);
    for (const listener of listeners) listener(event);
  });
  await client.connect();
  const end = async (runId: string): Promise<RunEnd> => {
    await until(END_DEADLINE_MS, `the end of ${runId} at ${user.id}`, () => ends.has(runId));
    return ends.get(runId) as RunEnd;
  };
  return {
    user,
    client,
    page,
    talk: async (content, asked) => await end((await client.send({ content, ...asked })).runId),
    end,
    next: (fits) =>
      new Promise((resolve) => {
        const listener = (event: RunwireEvent): void => {
          if (!fits(event)) return;
          listeners.delete(listener);
          resolve(event);
        };
        listeners.add(listener);
      }),
  };
}

/** How users talk. */
export interface ConversationOptions {
  /** @default PROMPTS */
  readonly prompts?: readonly string[];
  /** How many of the answers are deleted with their threads once they are there: 0 to 1. @default 0 */
  readonly deletedShare?: number;
}

/** Users who go on asking until they are told to stop. */
export class Conversation {
  readonly #talkers: readonly Talker[];
  readonly #options: Required<ConversationOptions>;
  readonly #talks: Promise<void>[];
  #isOver = false;
  /** Runs that ended, by status. */
  readonly ended = new Map<string, number>();

  constructor(talkers: readonly Talker[], options: ConversationOptions = {}) {
    this.#talkers = talkers;
    this.#options = { prompts: PROMPTS, deletedShare: 0, ...options };
    this.#talks = talkers.map((talker) => this.#talk(talker));
    // A failure shows when the conversation is over.
    for (const talk of this.#talks) talk.catch(() => undefined);
  }

  /** Settles when every user has the end of the last answer. @throws what went wrong in between */
  async over(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#talks);
  }

  /** Does harm, and settles to how long it took from then until every client was live on a new connection. */
  async heal(harm: () => Promise<void> | void): Promise<number> {
    return await healed(this.#talkers, harm);
  }

  async #talk(talker: Talker): Promise<void> {
    const { prompts, deletedShare } = this.#options;
    while (!this.#isOver) {
      const { data, threadId } = await talker.talk(pick(prompts));
      this.ended.set(data.status, (this.ended.get(data.status) ?? 0) + 1);
      if (Math.random() < deletedShare) await deleteThread(talker.user, threadId);
    }
  }
}

/** Deletes a thread, over whatever happens to the server meanwhile. */
async function deleteThread(user: HttpUser, threadId: string): Promise<void> {
  await until(END_DEADLINE_MS, `the deletion of ${threadId}`, async () => {
    const status = await user.call('DELETE', `/api/threads/${threadId}`).then(
      (answer) => answer.status,
      () => undefined,
    );
    return status === 204 || status === 404;
  });
}

/**
 * Does harm, and settles to how long it took from then until each client was live on a new connection. Where
 * a client has been dropped so often that it would wait for long, its page comes online.
 */
export async function healed(
  talkers: readonly Pick<Talker, 'client' | 'page'>[],
  harm: () => Promise<void> | void,
): Promise<number>;
/** Settles to undefined when `givesUp` says that there is nothing to come back to. */
export async function healed(
  talkers: readonly Pick<Talker, 'client' | 'page'>[],
  harm: () => Promise<void> | void,
  givesUp: () => boolean,
): Promise<number | undefined>;
export async function healed(
  talkers: readonly Pick<Talker, 'client' | 'page'>[],
  harm: () => Promise<void> | void,
  givesUp: () => boolean = () => false,
): Promise<number | undefined> {
  const before = talkers.map(({ client }) => client.stats.connections);
  const begunAtMs = performance.now();
  let isLive = false;
  await harm();
  await until(HEAL_DEADLINE_MS, 'every client to be live again', () => {
    for (const { client, page } of talkers) {
      const { state } = client;
      if (state.kind === 'waiting' && state.retryInMs > PATIENCE_MS) page.show('online');
    }
    isLive = talkers.every(
      ({ client: { state, stats } }, index) =>
        state.kind === 'live' && stats.connections > (before[index] ?? 0),
    );
    return isLive || givesUp();
  });
  return isLive ? performance.now() - begunAtMs : undefined;
}

/** Lets up to so much time pass: where in its run a fault hits is left to chance. */
export async function sometime(maxMs: number): Promise<void> {
  await pause(Math.random() * maxMs);
}

/** One of them, by chance. */
function pick<T>(items: readonly T[]): T {
  return items[Math.floor(Math.random() * items.length)] as T;
}

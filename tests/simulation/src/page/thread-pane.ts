import type { RunwireClient } from '@runwire/client';
import type { ThreadId } from '@runwire/id-generation';
import type { RunwireEvent } from '@runwire/protocol';
import type { ActorClock } from '../actor-clock.js';
import type { Verdicts } from '../audit/verdicts.js';
import type { Snapshot } from '../server/snapshot.js';
import { type AppState, applyEvent, EMPTY_STATE, stateOf } from './app-state.js';

/** What a pane is made of. */
export interface ThreadPaneDeps {
  readonly name: string;
  readonly clock: ActorClock;
  readonly client: RunwireClient;
  readonly verdicts: Verdicts;
  readonly loadSnapshot: (threadId?: ThreadId) => Promise<Snapshot | undefined>;
  readonly listThreads: () => Promise<readonly ThreadId[]>;
  readonly note: (what: () => string) => void;
}

interface OpenThread {
  state: AppState;
  /** The last event in it; undefined before its first snapshot. */
  seq: number | undefined;
}

const RETRY_MS = 1_000;
/** What a request for a deleted thread is answered. */
const GONE = new Error('404');

/** Shows every thread of the user by the snapshot rule (protocol §6): what the client's `openThread` is for. */
export class ThreadPane {
  readonly #deps: ThreadPaneDeps;
  readonly #threads = new Map<string, OpenThread>();
  #isListed = false;

  constructor(deps: ThreadPaneDeps) {
    this.#deps = deps;
    void this.#list();
  }

  /** All threads' runs. */
  get state(): AppState {
    return new Map([...this.#threads.values()].flatMap(({ state }) => [...state]));
  }

  get isWhole(): boolean {
    return this.#isListed && [...this.#threads.values()].every(({ seq }) => seq !== undefined);
  }

  /** The page was delivered an event: perhaps of a thread that it does not show yet. */
  noticed(event: RunwireEvent): void {
    // Wire ids are plain strings; this one was branded when it was made.
    if (event.type === 'thread_created') this.#open(event.threadId as ThreadId);
  }

  /** Asks for the user's threads until there is an answer. */
  async #list(): Promise<void> {
    try {
      for (const threadId of await this.#deps.listThreads()) this.#open(threadId);
      this.#isListed = true;
    } catch {
      this.#deps.clock.setTimer(RETRY_MS, () => void this.#list());
    }
  }

  #open(threadId: ThreadId): void {
    if (this.#threads.has(threadId)) return;
    const { client, loadSnapshot, note, name, verdicts } = this.#deps;
    const thread: OpenThread = { state: EMPTY_STATE, seq: undefined };
    this.#threads.set(threadId, thread);
    client.openThread<Snapshot>({
      threadId,
      load: async () => {
        const snapshot = await loadSnapshot(threadId);
        if (snapshot === undefined) throw GONE;
        return snapshot;
      },
      // A thread that is not there any more is shown by nobody.
      onLoadError: (error) => {
        if (error !== GONE) return true;
        thread.state = EMPTY_STATE;
        thread.seq ??= 0;
        return false;
      },
      onSnapshot: (snapshot) => {
        note(() => `thread ${threadId} up to ${snapshot.cursor.seq}`);
        thread.state = stateOf(snapshot);
        thread.seq = snapshot.cursor.seq;
      },
      onEvent: (event) => {
        if (thread.seq === undefined || event.seq <= thread.seq) {
          verdicts.violated(
            'thread order',
            `${name} was shown event ${event.seq} of a thread at ${thread.seq}`,
          );
        }
        thread.state = applyEvent(thread.state, event);
        thread.seq = event.seq;
      },
    });
  }
}

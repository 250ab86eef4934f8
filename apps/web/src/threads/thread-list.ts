import type { RunwireClient, RunwireEvent } from '@runwire/client';
import { ApiError } from '../api/api-error.js';
import type { ListedThread, Page, ServerApi } from '../api/server-api.js';
import { createFrameStore } from '../state/frame-store.js';
import type { ReadableStore } from '../state/value-store.js';
import {
  applyToList,
  EMPTY_LIST,
  find,
  type ThreadListState,
  withFirstPage,
  withNextPage,
  withOpenRuns,
  withoutThread,
  withThread,
} from './thread-list-state.js';

/** The user's threads, kept in step with the stream. */
export interface ThreadList {
  readonly state: ReadableStore<ThreadListState>;
  /** Loads the first page again. Never rejects: the state says `failed`. */
  reload(): Promise<void>;
  /** @throws ApiError */
  loadMore(): Promise<void>;
  /** @throws ApiError */
  rename(threadId: string, title: string): Promise<void>;
  /** A thread that is gone already counts as deleted. @throws ApiError */
  remove(threadId: string): Promise<void>;
  /** A snapshot told which runs of a thread are open. */
  setOpenRuns(threadId: string, runIds: readonly string[]): void;
  close(): void;
}

/** Creates the list and follows the client's events. */
export function createThreadList(deps: {
  readonly client: RunwireClient;
  readonly api: ServerApi;
}): ThreadList {
  const { client, api } = deps;
  const state = createFrameStore<ThreadListState>(EMPTY_LIST);
  const update = (change: (now: ThreadListState) => ThreadListState): void =>
    state.set(change(state.latest()));

  // Events that come while a page is on its way may be newer than it: they are applied to it again.
  const loads = new Set<RunwireEvent[]>();
  const load = async (before?: string): Promise<{ page: Page<ListedThread>; held: RunwireEvent[] }> => {
    const held: RunwireEvent[] = [];
    loads.add(held);
    try {
      return { page: await api.listThreads(before), held };
    } finally {
      loads.delete(held);
    }
  };
  const takeOver = (held: readonly RunwireEvent[], next: ThreadListState): void =>
    state.set(held.reduce(applyToList, next));

  const fetchUnlisted = async (threadId: string): Promise<void> => {
    const { thread } = await api.thread(threadId);
    update((now) => (find(now, threadId) === undefined ? withThread(now, thread) : now));
  };
  const stop = client.onEvent((event) => {
    for (const held of loads) if (isOfList(event)) held.push(event);
    update((now) => applyToList(now, event));
    if (event.type !== 'message_added' || state.latest().kind !== 'ready') return;
    // An old thread, further down than what is loaded, was used again. If it fails, a reload shows it.
    if (find(state.latest(), event.threadId) === undefined)
      fetchUnlisted(event.threadId).catch(() => undefined);
  });

  // What ended while nothing could be heard is unknown: open runs tell of themselves again.
  const stopResets = client.onReset(() => update((now) => ({ ...now, running: new Map() })));

  return {
    state,
    async reload() {
      try {
        const { page, held } = await load();
        takeOver(held, withFirstPage(state.latest(), page));
      } catch {
        update((now) => (now.kind === 'ready' ? now : { ...now, kind: 'failed' }));
      }
    },
    async loadMore() {
      const { before } = state.latest();
      if (before === null) return;
      const { page, held } = await load(before);
      takeOver(held, withNextPage(state.latest(), page));
    },
    async rename(threadId, title) {
      await api.renameThread(threadId, title);
      update((now) => {
        const thread = find(now, threadId);
        return thread === undefined ? now : withThread(now, { ...thread, title });
      });
    },
    async remove(threadId) {
      await api.deleteThread(threadId).catch((cause: unknown) => {
        if (!(cause instanceof ApiError) || cause.status !== 404) throw cause;
      });
      update((now) => withoutThread(now, threadId));
    },
    setOpenRuns: (threadId, runIds) => update((now) => withOpenRuns(now, threadId, runIds)),
    close() {
      stop();
      stopResets();
      state.close();
    },
  };
}

function isOfList({ type }: RunwireEvent): boolean {
  return type.startsWith('thread_') || type === 'message_added';
}

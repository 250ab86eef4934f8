import type { RunwireEvent } from '@runwire/client';
import type { ListedThread, Page, ThreadSummary } from '../api/server-api.js';

/** The list of threads as it is shown. */
export interface ThreadListState {
  readonly kind: 'loading' | 'ready' | 'failed';
  /** The last used first. */
  readonly items: readonly ThreadSummary[];
  /** Asks for the next page; null on the last one. */
  readonly before: string | null;
  /** Open runs by thread, as far as they were heard of. */
  readonly running: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Before the first page. */
export const EMPTY_LIST: ThreadListState = {
  kind: 'loading',
  items: [],
  before: null,
  running: new Map(),
};

const UNTITLED = 'New chat';

/** The first page, in place of what there was. */
export function withFirstPage(state: ThreadListState, page: Page<ListedThread>): ThreadListState {
  const listed = { ...state, kind: 'ready', items: ordered(page.items), before: page.before } as const;
  return withListedRuns(listed, page.items);
}

/** A further page. */
export function withNextPage(state: ThreadListState, page: Page<ListedThread>): ThreadListState {
  const known = new Set(state.items.map(({ id }) => id));
  const more = page.items.filter(({ id }) => !known.has(id));
  const listed = { ...state, items: ordered([...state.items, ...more]), before: page.before };
  return withListedRuns(listed, more);
}

/** One thread that was not in the list, or changed. */
export function withThread(state: ThreadListState, thread: ThreadSummary): ThreadListState {
  const others = state.items.filter(({ id }) => id !== thread.id);
  return { ...state, items: ordered([...others, thread]) };
}

/** The list without a thread. */
export function withoutThread(state: ThreadListState, threadId: string): ThreadListState {
  const running = new Map(state.running);
  running.delete(threadId);
  return { ...state, items: state.items.filter(({ id }) => id !== threadId), running };
}

/** What a live event makes of the list. The same object when it changes nothing; repeating one does no harm. */
export function applyToList(state: ThreadListState, event: RunwireEvent): ThreadListState {
  if (event.type === 'erased') return state;
  const { threadId } = event;
  if (event.type === 'thread_deleted') return withoutThread(state, threadId);
  if (event.type === 'message_added') return touch(state, threadId, { at: event.at, title: undefined });
  if (event.type === 'thread_updated') {
    return touch(state, threadId, { at: event.at, title: event.data.title });
  }
  if (event.type === 'thread_created') {
    if (find(state, threadId) !== undefined) return state;
    const title = event.data.title ?? UNTITLED;
    return withThread(state, { id: threadId, title, createdAtMs: event.at, updatedAtMs: event.at });
  }
  if (event.type === 'agent_completed') {
    return withRuns(state, threadId, (runs) => void runs.delete(event.runId));
  }
  // Any event of a run says that it is open: the page may have been loaded in the middle of it.
  if (state.running.get(threadId)?.has(event.runId)) return state;
  return withRuns(state, threadId, (runs) => void runs.add(event.runId));
}

/** One thread of the list. */
export function find(state: ThreadListState, threadId: string): ThreadSummary | undefined {
  return state.items.find(({ id }) => id === threadId);
}

/** Marks which runs of a thread are open, as its snapshot says. */
export function withOpenRuns(state: ThreadListState, threadId: string, runIds: readonly string[]) {
  return withRuns(state, threadId, (runs) => {
    runs.clear();
    for (const runId of runIds) runs.add(runId);
  });
}

function withListedRuns(state: ThreadListState, threads: readonly ListedThread[]): ThreadListState {
  return threads.reduce(
    (listed, { id, activeRunId }) => withOpenRuns(listed, id, activeRunId === null ? [] : [activeRunId]),
    state,
  );
}

function touch(
  state: ThreadListState,
  threadId: string,
  change: { readonly at: number; readonly title: string | undefined },
): ThreadListState {
  const thread = find(state, threadId);
  if (thread === undefined) return state;
  const updatedAtMs = Math.max(thread.updatedAtMs, change.at);
  return withThread(state, { ...thread, updatedAtMs, title: change.title ?? thread.title });
}

function withRuns(
  state: ThreadListState,
  threadId: string,
  change: (runs: Set<string>) => void,
): ThreadListState {
  const runs = new Set(state.running.get(threadId));
  change(runs);
  const running = new Map(state.running);
  if (runs.size === 0) running.delete(threadId);
  else running.set(threadId, runs);
  return { ...state, running };
}

function ordered(items: readonly ThreadSummary[]): readonly ThreadSummary[] {
  return items.toSorted((a, b) => b.updatedAtMs - a.updatedAtMs || (a.id < b.id ? 1 : -1));
}

import { applyRunEvent, type RunView, type RunwireEvent } from '@runwire/client';
import type { Page, StoredMessage, ThreadSnapshot } from '../api/server-api.js';

/** A message as it is shown: what the user wrote, or a run with its answer. */
export type Entry =
  | {
      readonly kind: 'user';
      readonly id: string;
      readonly runId: string | undefined;
      readonly text: string;
      readonly createdAtMs: number;
      /** Which command it came from; known of what is heard live. */
      readonly commandId?: string;
    }
  | { readonly kind: 'answer'; readonly id: string; readonly run: RunView };

/** A thread as it is shown. */
export type ConversationState =
  | { readonly kind: 'loading'; readonly problem?: string }
  /** There is no such thread, or not any more. */
  | { readonly kind: 'missing' }
  | {
      readonly kind: 'ready';
      readonly title: string;
      /** Oldest first. */
      readonly entries: readonly Entry[];
      /** Asks for the messages before the first entry; null when there are none. */
      readonly before: string | null;
    };

type ReadyState = Extract<ConversationState, { kind: 'ready' }>;

/** The state that a snapshot makes, whatever was shown before. */
export function fromSnapshot({ thread, messages, runs }: ThreadSnapshot): ReadyState {
  let entries = messages.items.map((message) => entryOf(thread.id, message));
  for (const run of runs) entries = withRun(entries, run);
  return { kind: 'ready', title: thread.title, entries, before: messages.before };
}

/** What a live event of the thread makes of it. The same object when it changes nothing. */
export function applyEvent(state: ConversationState, event: RunwireEvent): ConversationState {
  if (state.kind !== 'ready') return state;
  if (event.type === 'thread_deleted') return { kind: 'missing' };
  if (event.type === 'message_added') return addMessage(state, event);
  if (event.type === 'thread_updated') {
    return event.data.title === undefined ? state : { ...state, title: event.data.title };
  }
  return event.runId === undefined ? state : applyToRun(state, event, event.runId);
}

/** The page of messages before the ones there are. */
export function prependPage(state: ConversationState, threadId: string, page: Page<StoredMessage>) {
  if (state.kind !== 'ready') return state;
  const known = new Set(state.entries.map(({ id }) => id));
  const earlier = page.items.map((message) => entryOf(threadId, message)).filter(({ id }) => !known.has(id));
  return { ...state, entries: [...earlier, ...state.entries], before: page.before };
}

/** The run that is answering now, the newest if there are several. */
export function activeRun(state: ConversationState): RunView | undefined {
  if (state.kind !== 'ready') return undefined;
  const running = state.entries.findLast(
    (entry) => entry.kind === 'answer' && entry.run.status === 'running',
  );
  return running?.kind === 'answer' ? running.run : undefined;
}

/** True between the user's message and the first sign of its answer. */
export function awaitsAnswer(state: ConversationState): boolean {
  return state.kind === 'ready' && state.entries.at(-1)?.kind === 'user';
}

function addMessage(
  state: ReadyState,
  event: Extract<RunwireEvent, { type: 'message_added' }>,
): ConversationState {
  const { messageId: id, role, parts, commandId } = event.data;
  const known = state.entries.some((entry) => entry.id === id || runMessageId(entry) === id);
  // An answer comes with the events of its run.
  if (known || role !== 'user') return state;
  const entry: Entry = {
    kind: 'user',
    id,
    runId: event.runId,
    text: textOf(parts),
    createdAtMs: event.at,
    ...(commandId === undefined ? {} : { commandId }),
  };
  return { ...state, entries: [...state.entries, entry] };
}

function applyToRun(state: ReadyState, event: RunwireEvent, runId: string): ConversationState {
  const index = state.entries.findLastIndex((entry) => entry.kind === 'answer' && entry.run.runId === runId);
  const entry = state.entries[index];
  const before = entry?.kind === 'answer' ? entry.run : undefined;
  const after = applyRunEvent(before, event) ?? endedBeforeItBegan(event);
  if (after === undefined || after === before) return state;
  if (entry === undefined) return { ...state, entries: withRun(state.entries, after) };
  return { ...state, entries: state.entries.with(index, { kind: 'answer', id: entry.id, run: after }) };
}

/** A run whose process died before its first event still has its one end. */
function endedBeforeItBegan(event: RunwireEvent): RunView | undefined {
  if (event.type !== 'agent_completed') return undefined;
  const { agent, messageId, status, durationMs, error } = event.data;
  return {
    runId: event.runId,
    threadId: event.threadId,
    agent,
    messageId,
    attempt: 1,
    status,
    parts: [],
    startedAtMs: event.at - durationMs,
    durationMs,
    ...(error === undefined ? {} : { error }),
  };
}

/** Puts a run behind the message that asked for it. One that is stored as ended already stays. */
function withRun(entries: readonly Entry[], run: RunView): Entry[] {
  if (entries.some((entry) => entry.kind === 'answer' && entry.run.runId === run.runId)) return [...entries];
  const entry: Entry = { kind: 'answer', id: run.runId, run };
  const asked = entries.findLastIndex((known) => known.kind === 'user' && known.runId === run.runId);
  return asked < 0 ? [...entries, entry] : entries.toSpliced(asked + 1, 0, entry);
}

function entryOf(threadId: string, message: StoredMessage): Entry {
  const { id, runId, createdAtMs } = message;
  if (message.role === 'user') return { kind: 'user', id, runId, text: textOf(message.parts), createdAtMs };
  const { agent, status, error, durationMs } = message.run;
  const run: RunView = {
    runId,
    threadId,
    agent,
    messageId: id,
    attempt: 1,
    status: status === 'accepted' ? 'running' : status,
    parts: message.parts,
    startedAtMs: createdAtMs,
    durationMs,
    ...(error === undefined ? {} : { error }),
  };
  return { kind: 'answer', id: runId, run };
}

function runMessageId(entry: Entry): string | undefined {
  return entry.kind === 'answer' ? entry.run.messageId : undefined;
}

function textOf(parts: readonly { readonly type: string; readonly text?: string }[]): string {
  return parts.map(({ text }) => text ?? '').join('\n');
}

import type { RunwireClient } from '@runwire/client';
import { ApiError, describeFailure } from '../api/api-error.js';
import type { ServerApi, ThreadSnapshot } from '../api/server-api.js';
import { createFrameStore } from '../state/frame-store.js';
import type { ReadableStore } from '../state/value-store.js';
import { applyEvent, type ConversationState, fromSnapshot, prependPage } from './conversation-state.js';

/** A thread that is open on the page. */
export interface Conversation {
  readonly state: ReadableStore<ConversationState>;
  /** Loads the messages before the first one shown. @throws ApiError */
  loadEarlier(): Promise<void>;
  close(): void;
}

/** What a conversation is opened with. */
export interface ConversationDeps {
  readonly client: RunwireClient;
  readonly api: ServerApi;
}

/** Opens a thread by the snapshot rule and follows it until `close`. */
export function openConversation({ client, api }: ConversationDeps, threadId: string): Conversation {
  const state = createFrameStore<ConversationState>({ kind: 'loading' });
  const stop = client.openThread<ThreadSnapshot>({
    threadId,
    load: () => api.thread(threadId),
    onSnapshot: (snapshot) => state.set(fromSnapshot(snapshot)),
    onEvent: (event) => state.set(applyEvent(state.latest(), event)),
    onLoadError(cause) {
      const missing = cause instanceof ApiError && cause.status === 404;
      if (missing) state.set({ kind: 'missing' });
      else if (state.latest().kind === 'loading')
        state.set({ kind: 'loading', problem: describeFailure(cause) });
      return !missing;
    },
  });
  return {
    state,
    async loadEarlier() {
      const shown = state.latest();
      if (shown.kind !== 'ready' || shown.before === null) return;
      const { messages } = await api.thread(threadId, shown.before);
      const now = state.latest();
      // A snapshot may have come meanwhile, with another first message.
      if (now.kind === 'ready' && now.before === shown.before)
        state.set(prependPage(now, threadId, messages));
    },
    close() {
      stop();
      state.close();
    },
  };
}

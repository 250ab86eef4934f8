import { useEffect, useState } from 'react';
import { Composer } from '../composer/composer.js';
import { useSender } from '../composer/sender.js';
import { navigate } from '../routing/location.js';
import { createValueStore, useStore } from '../state/value-store.js';
import { useWorkspace } from '../workspace/workspace-context.js';
import { Announcer } from './announcer.js';
import { type Conversation, openConversation } from './conversation.js';
import { activeRun, type ConversationState } from './conversation-state.js';
import { MessageList } from './message-list.js';

const NOT_OPEN = createValueStore<ConversationState>({ kind: 'loading' });

/** One thread with its composer. */
export function ConversationPage({ threadId }: { readonly threadId: string }) {
  const conversation = useConversation(threadId);
  const state = useStore(conversation?.state ?? NOT_OPEN);
  const run = activeRun(state);
  const sender = useSender(threadId);
  useOpenRuns(threadId, state);
  if (state.kind === 'missing') return <MissingThread />;
  return (
    <main className="conversation">
      <MessageList
        threadId={threadId}
        state={state}
        onLoadEarlier={() => conversation?.loadEarlier()}
        onRetry={sender.isSending || sender.isWaiting ? undefined : (text) => sender.send(text)}
        onCancel={sender.cancel}
      />
      <Announcer state={state} />
      <Composer sender={sender} runId={run?.runId} />
    </main>
  );
}

function useConversation(threadId: string): Conversation | undefined {
  const { client, api } = useWorkspace();
  const [conversation, setConversation] = useState<Conversation>();
  useEffect(() => {
    const opened = openConversation({ client, api }, threadId);
    setConversation(opened);
    return () => opened.close();
  }, [client, api, threadId]);
  return conversation;
}

/** The list learns from the snapshot what it could not hear: which runs began before the page was loaded. */
function useOpenRuns(threadId: string, state: ConversationState): void {
  const { threads } = useWorkspace();
  const entries = state.kind === 'ready' ? state.entries : [];
  const open = entries.flatMap((entry) =>
    entry.kind === 'answer' && entry.run.status === 'running' ? [entry.run.runId] : [],
  );
  const key = state.kind === 'ready' ? open.join(' ') : undefined;
  useEffect(() => {
    if (key !== undefined) threads.setOpenRuns(threadId, key === '' ? [] : key.split(' '));
  }, [threads, threadId, key]);
}

function MissingThread() {
  return (
    <main className="conversation">
      <div className="welcome">
        <h2>This chat is not here</h2>
        <p className="muted">It was deleted, or the address is wrong.</p>
        <button type="button" className="button primary" onClick={() => navigate('/')}>
          Start a new chat
        </button>
      </div>
    </main>
  );
}

import { useEffect, useRef, useState } from 'react';
import { describeFailure } from '../api/api-error.js';
import { notYetShown, type Outgoing } from '../composer/outgoing.js';
import { useStore } from '../state/value-store.js';
import { Icon } from '../ui/icon.js';
import { useWorkspace } from '../workspace/workspace-context.js';
import { Answer } from './answer.js';
import { awaitsAnswer, type ConversationState, type Entry } from './conversation-state.js';
import { PendingMessage, TypingDots } from './pending-message.js';
import { useStickyScroll } from './sticky-scroll.js';
import { UserMessage } from './user-message.js';

/** The messages of a thread, scrolled along with the newest as long as the user is there. */
export function MessageList(props: {
  readonly threadId: string;
  readonly state: Extract<ConversationState, { kind: 'loading' | 'ready' }>;
  readonly onLoadEarlier: () => Promise<void> | undefined;
  readonly onRetry: ((text: string) => void) | undefined;
  readonly onCancel: (message: Outgoing) => void;
}) {
  const { threadId, state, onRetry } = props;
  const entries = state.kind === 'ready' ? state.entries : [];
  const pending = usePending(threadId, entries);
  const scroller = useRef<HTMLElement>(null);
  const { isAtBottom, scrollToBottom } = useStickyScroll(scroller, {
    firstKey: entries[0]?.id,
    ownMessages: pending.length,
  });
  return (
    <div className="messages-area">
      <section className="messages-scroller" ref={scroller} aria-label="Conversation">
        {state.kind === 'loading' && <LoadingNote problem={state.problem} />}
        {state.kind === 'ready' && state.before !== null && <LoadEarlier load={props.onLoadEarlier} />}
        <ol className="messages" aria-label="Messages" data-testid="messages">
          {entries.map((entry, index) =>
            entry.kind === 'user' ? (
              <UserMessage key={entry.id} text={entry.text} createdAtMs={entry.createdAtMs} />
            ) : (
              <Answer
                key={entry.id}
                run={entry.run}
                onRetry={index === entries.length - 1 ? retryOf(entries, index, onRetry) : undefined}
              />
            ),
          )}
          {pending.map((message) => (
            <PendingMessage key={message.id} message={message} onCancel={props.onCancel} />
          ))}
          {(pending.some(({ stage }) => stage !== 'waiting') || awaitsAnswer(state)) && <TypingDots />}
        </ol>
      </section>
      {!isAtBottom && (
        <button type="button" className="jump-to-latest" onClick={scrollToBottom}>
          <Icon name="down" /> Jump to latest
        </button>
      )}
    </div>
  );
}

function usePending(threadId: string, entries: readonly Entry[]) {
  const { outgoing } = useWorkspace();
  const own = useStore(outgoing.state).filter((message) => message.threadId === threadId);
  const pending = notYetShown(own, entries);
  const done = own.filter((message) => message.stage === 'answered' && !pending.includes(message));
  const doneIds = done.map(({ id }) => id).join(' ');
  useEffect(() => {
    for (const id of doneIds.split(' ')) if (id !== '') outgoing.remove(id);
  }, [outgoing, doneIds]);
  return pending;
}

function retryOf(entries: readonly Entry[], index: number, send: ((text: string) => void) | undefined) {
  const asked = entries[index - 1];
  return send === undefined || asked?.kind !== 'user' ? undefined : () => send(asked.text);
}

function LoadingNote({ problem }: { readonly problem: string | undefined }) {
  return (
    <p className="conversation-note" role="status">
      {problem === undefined ? 'Loading the chat…' : `${problem} Trying again…`}
    </p>
  );
}

function LoadEarlier({ load }: { readonly load: () => Promise<void> | undefined }) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const onClick = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      await load();
    } catch (cause) {
      setProblem(describeFailure(cause));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="load-earlier">
      {problem !== undefined && <p className="field-problem">{problem}</p>}
      <button type="button" className="button quiet" disabled={busy} onClick={() => void onClick()}>
        {busy ? 'Loading…' : 'Load earlier messages'}
      </button>
    </div>
  );
}

import { Composer } from '../composer/composer.js';
import { useSender } from '../composer/sender.js';
import { useStore } from '../state/value-store.js';
import { useWorkspace } from '../workspace/workspace-context.js';
import { PendingMessage, TypingDots } from './pending-message.js';

const EXAMPLES = [
  'what is 2 + 3 * 4?',
  'what time is it in Tokyo?',
  'count to 500 at 50 per second',
  'wait 5 seconds',
  'write 200 KB',
];

/** A chat that has no thread yet: the first message makes it. */
export function NewChat() {
  const { outgoing } = useWorkspace();
  const sender = useSender(undefined);
  const pending = useStore(outgoing.state).filter(({ threadId }) => threadId === undefined);
  const isEmpty = pending.length === 0;
  return (
    <main className="conversation">
      {isEmpty ? (
        <div className="welcome">
          <h2>What can I do for you?</h2>
          <p className="muted">Ask anything, or begin with one of these:</p>
          <ul className="examples">
            {EXAMPLES.map((example) => (
              <li key={example}>
                <button
                  type="button"
                  className="example"
                  disabled={sender.isSending || sender.isWaiting}
                  onClick={() => sender.send(example)}
                >
                  {example}
                </button>
              </li>
            ))}
          </ul>
        </div>
      ) : (
        <div className="messages-scroller">
          <ol className="messages" aria-label="Messages" data-testid="messages">
            {pending.map((message) => (
              <PendingMessage key={message.id} message={message} onCancel={sender.cancel} />
            ))}
            {pending.some(({ stage }) => stage !== 'waiting') && <TypingDots />}
          </ol>
        </div>
      )}
      <Composer sender={sender} runId={undefined} />
    </main>
  );
}

import { useState } from 'react';
import { useNow } from '../state/use-now.js';
import { useStore } from '../state/value-store.js';
import type { Connection } from '../workspace/workspace.js';
import { useWorkspace } from '../workspace/workspace-context.js';
import { describeConnection } from './describe-connection.js';

/** A dot and a word on the connection, and what can be done about it. */
export function ConnectionIndicator() {
  const { connection } = useWorkspace();
  const state = useStore(connection.state);
  const transport = useStore(connection.transport);
  const secondsLeft = useSecondsLeft(state);
  const { label, detail, action } = describeConnection(state, secondsLeft);
  return (
    <div
      className="connection"
      data-testid="connection"
      data-state={state.kind}
      data-transport={transport}
      title={detail}
    >
      <span className="connection-dot" aria-hidden="true" />
      {/* The countdown would be read out each second. */}
      <span className="connection-label" aria-hidden="true">
        {label}
      </span>
      <span className="visually-hidden" role="status">
        {describeConnection(state, undefined).label}
      </span>
      {transport === 'sse' && (
        <span
          className="connection-note wide-only"
          title="WebSockets do not get through here. The same comes over plain HTTP."
        >
          over HTTP
        </span>
      )}
      <OutboxNote />
      {action !== undefined && (
        <button type="button" className="link-button" onClick={() => act(connection, action.does)}>
          {action.label}
        </button>
      )}
    </div>
  );
}

/** How many messages of all chats wait for a connection. */
function OutboxNote() {
  const { outgoing } = useWorkspace();
  const count = useStore(outgoing.state).filter(({ stage }) => stage === 'waiting').length;
  return (
    <span
      className={count === 0 ? 'visually-hidden' : 'connection-note connection-outbox'}
      role="status"
      data-testid="outbox"
      data-count={count}
    >
      {count > 0 && `${count} not sent yet`}
    </span>
  );
}

function act(connection: Connection, does: 'retry' | 'reconnect' | 'sign-in' | 'reload'): void {
  if (does === 'retry') connection.retryNow();
  else if (does === 'reconnect') connection.reconnect();
  else if (does === 'sign-in') connection.signInAgain();
  else location.reload();
}

function useSecondsLeft(state: ReturnType<Connection['state']['get']>): number | undefined {
  const [since, setSince] = useState({ state, atMs: Date.now() });
  if (since.state !== state) setSince({ state, atMs: Date.now() });
  const nowMs = useNow(state.kind === 'waiting' ? 250 : false);
  if (state.kind !== 'waiting') return undefined;
  const leftMs = since.atMs + state.retryInMs - Math.max(nowMs, since.atMs);
  return Math.max(0, Math.ceil(leftMs / 1_000));
}

import type { AgentMessageHandler } from '@runwire/agent-handler';
import type { WebSocketBridgeFactory } from '@runwire/bridge-factory';
import type { ConnectionPool } from '@runwire/connection-pool';
import type { IdGenerator } from '@runwire/id-generation';
import { createRequestContext } from '@runwire/user-context';
import type { ClientConnection, Handshake } from '@runwire/websocket-core';
import { isAuthSessionLive } from '../persistence/account-store.js';
import type { DatabaseSessions } from '../persistence/session.js';

/** Closed by the server because the session behind the token has ended. */
const FORBIDDEN = 4403;

/** What an admitted connection is connected to. */
export interface OpenConnectionDeps {
  readonly handler: AgentMessageHandler;
  readonly bridge: WebSocketBridgeFactory;
  readonly pool: ConnectionPool;
  readonly sessions: DatabaseSessions;
}

/** Makes the step between admission and the first event: handlers first, then the cursor. */
export function createOpenConnection(deps: OpenConnectionDeps) {
  const { handler, bridge, pool, sessions } = deps;
  return async (connection: ClientConnection, handshake: Handshake): Promise<void> => {
    connection.handleCommand('user_message', (message, request) => handler.userMessage(message, request));
    connection.handleCommand('stop_agent', (message, request) => handler.stopAgent(message, request));
    connection.handleCommand('start_agent', (message, request) => handler.startAgent(message, request));
    connection.handleCommand('resolve_approval', (message, request) =>
      handler.resolveApproval(message, request),
    );
    // A sign-out between the token's verification and the admission found no connection to close.
    const { userId, sessionId } = connection;
    const live = await sessions.with((session) => isAuthSessionLive(session, userId, sessionId));
    if (!live) return connection.close(FORBIDDEN);
    const cursor = await bridge.attach(connection, handshake.resume);
    void cursor.caughtUp.then(() => pool.completeReplacement(connection));
  };
}

/** Ends the sockets of a sign-in session that has ended: from its return nothing more is handed to them. */
export function disconnectSession(
  deps: { readonly pool: ConnectionPool; readonly ids: Pick<IdGenerator, 'requestId'> },
  ended: Pick<ClientConnection, 'userId' | 'sessionId'>,
): void {
  const { userId, sessionId } = ended;
  const manager = deps.pool.managerFor(createRequestContext({ userId, requestId: deps.ids.requestId() }));
  for (const connection of manager.connections()) {
    if (connection.sessionId === sessionId) manager.disconnect(connection.id, FORBIDDEN);
  }
}

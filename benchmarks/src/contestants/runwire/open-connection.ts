import type { WebSocketBridgeFactory } from '@runwire/bridge-factory';
import type { ConnectionPool } from '@runwire/connection-pool';
import { createErrorBody } from '@runwire/protocol';
import type { ClientConnection, Handshake } from '@runwire/websocket-core';

/** Connects an admitted connection as the reference server does; its commands are refused, as nobody sends any. */
export function openConnection(deps: {
  readonly bridge: WebSocketBridgeFactory;
  readonly pool: ConnectionPool;
}): (connection: ClientConnection, handshake: Handshake) => Promise<void> {
  const refuse = async () => ({ rejected: createErrorBody('NOT_READY') });
  return async (connection, handshake) => {
    connection.handleCommand('user_message', refuse);
    connection.handleCommand('stop_agent', refuse);
    connection.handleCommand('start_agent', refuse);
    connection.handleCommand('resolve_approval', refuse);
    const cursor = await deps.bridge.attach(connection, handshake.resume);
    void cursor.caughtUp.then(() => deps.pool.completeReplacement(connection));
  };
}

import type { UserId } from '@runwire/id-generation';
import type { ClientConnection, PostAnswer, SocketServerDeps, SocketServerOptions } from '../../src/index.js';
import type { MemoryPeer } from '../../src/testing/index.js';
import { createFixture, establish, type Fixture } from './fixture.js';

/** A stream that is being opened, and the way to post to it. */
export interface StreamFixture extends Fixture {
  readonly peer: MemoryPeer;
  readonly connection: ClientConnection;
  /** Posts as the stream's own user: a string as it is, anything else as JSON. */
  readonly post: (message: unknown, as?: UserId) => Promise<PostAnswer>;
}

/** Connects as a stream; `open` establishes unless it is given. */
export async function createStreamFixture(
  { open = async (connection) => establish(connection), ...overrides }: Partial<SocketServerDeps> = {},
  options: SocketServerOptions = {},
): Promise<StreamFixture> {
  const opening: SocketServerDeps['open'] = async (connection, handshake) => {
    fixture.opened.push(connection);
    await open(connection, handshake);
  };
  const fixture = createFixture({ ...overrides, open: opening }, options);
  const headers = { authorization: `Bearer ${fixture.token()}` };
  const peer = fixture.server.accept({ transport: 'stream', url: '/api/stream', headers });
  await fixture.clock.settle();
  const [connection] = fixture.opened;
  if (connection === undefined) throw new Error('not opened');
  return {
    ...fixture,
    peer,
    connection,
    post: (message, userId = connection.userId) => {
      const text = typeof message === 'string' ? message : JSON.stringify(message);
      return fixture.server.receive({ userId, connectionId: connection.id, text });
    },
  };
}

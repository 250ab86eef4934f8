import { describe, expect, it } from '@jest/globals';
import { createIdGenerator } from '@runwire/id-generation';
import { createDeferred, createSystemClock } from '@runwire/kernel';
import type { ClientConnection } from '@runwire/websocket-core';
import { TOKENS } from '../../src/composition/tokens.js';
import { insertAuthSession, revokeAuthSession } from '../../src/persistence/account-store.js';
import { createOpenConnection, type OpenConnectionDeps } from '../../src/sockets/open-connection.js';
import { type Composed, compose } from '../support/composed.js';
import { openTestDatabase } from '../support/database.js';
import { openRawSocket } from '../support/raw-socket.js';

/** An admitted connection of a live sign-in session, with what is done to it. */
async function admitted() {
  const database = await openTestDatabase();
  const userId = createIdGenerator({ clock: createSystemClock() }).userId();
  const sessionId = 'session';
  await database.addUser(userId);
  const opened = { sessionId, userId, refreshHash: 'hash', nowMs: 1, expiresAtMs: 2 };
  await database.sessions.with((session) => insertAuthSession(session, opened));
  const done: string[] = [];
  const caughtUp = createDeferred();
  const connection = {
    userId,
    sessionId,
    handleCommand: (type: string) => {
      done.push(`handle ${type}`);
      return () => undefined;
    },
    close: (code: number) => void done.push(`close ${code}`),
  } as unknown as ClientConnection;
  const unused = {} as OpenConnectionDeps['handler'];
  const open = createOpenConnection({
    handler: unused,
    sessions: database.sessions,
    bridge: {
      attach: async () => {
        done.push('attach');
        return { caughtUp: caughtUp.promise };
      },
    } as unknown as OpenConnectionDeps['bridge'],
    pool: {
      completeReplacement: (completed: ClientConnection) =>
        void done.push(`complete ${completed === connection}`),
    } as unknown as OpenConnectionDeps['pool'],
  });
  return {
    done,
    caughtUp,
    open: () => open(connection, { resume: undefined }),
    signOut: () => database.sessions.with((session) => revokeAuthSession(session, sessionId, 1)),
    sessions: database.sessions,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const HANDLED = ['user_message', 'stop_agent', 'start_agent', 'resolve_approval'].map(
  (type) => `handle ${type}`,
);

describe('an admitted connection', () => {
  it('[WS-1] has its handlers before its cursor, and completes a replacement when it has caught up', async () => {
    await using fixture = await admitted();
    await fixture.open();
    expect(fixture.done).toEqual([...HANDLED, 'attach']);
    fixture.caughtUp.resolve();
    await fixture.caughtUp.promise;
    expect(fixture.done).toEqual([...HANDLED, 'attach', 'complete true']);
    expect(fixture.sessions.stats.open).toBe(0);
  });

  it('[AU-4] whose session has ended since its token was verified is closed 4403 and handed nothing', async () => {
    await using fixture = await admitted();
    await fixture.signOut();
    await fixture.open();
    expect(fixture.done).toEqual([...HANDLED, 'close 4403']);
    expect(fixture.sessions.stats.open).toBe(0);
  });
});

describe('over a real socket', () => {
  async function listen({ router }: Composed): Promise<number> {
    await router.app.listen({ host: '127.0.0.1', port: 0 });
    const address = router.app.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  it('[AU-4] a sign-out closes the sockets of its session, and no others of the user', async () => {
    await using composed = await compose();
    const { app } = composed.router;
    const port = await listen(composed);
    const first = await composed.register('somebody');
    const payload = { email: first.user.email, password: 'correct horse' };
    const second = (await app.inject({ method: 'POST', url: '/auth/login', payload })).json();
    using ended = await openRawSocket(port, first.accessToken);
    using kept = await openRawSocket(port, second.accessToken);
    await ended.hear(({ type }) => type === 'caught_up');
    await kept.hear(({ type }) => type === 'caught_up');

    const answer = await app.inject({ method: 'POST', url: '/auth/logout', headers: first.headers });
    expect(answer.statusCode).toBe(204);
    await expect(ended.closed).resolves.toBe(4403);
    expect(composed.scope.get(TOKENS.pool).stats().connections).toBe(1);

    const headers = { authorization: `Bearer ${second.accessToken}` };
    await app.inject({ method: 'POST', url: '/api/threads', headers, payload: { title: 'Still here' } });
    await expect(kept.hear(({ type }) => type === 'thread_created')).resolves.toMatchObject({
      data: { title: 'Still here' },
    });
    expect(ended.said.some(({ type }) => type === 'thread_created')).toBe(false);
  });

  it('a new connection takes the place of the one it names when it has caught up', async () => {
    await using composed = await compose();
    const port = await listen(composed);
    const { accessToken } = await composed.register('somebody');
    using old = await openRawSocket(port, accessToken);
    const { connectionId } = await old.hear(({ type }) => type === 'connection_established');
    using replacement = await openRawSocket(port, accessToken, `&replaces=${String(connectionId)}`);
    await replacement.hear(({ type }) => type === 'caught_up');
    await expect(old.closed).resolves.toBe(1000);
    expect(composed.scope.get(TOKENS.pool).stats().connections).toBe(1);
  });
});

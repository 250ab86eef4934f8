import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import { TOKENS } from '../../src/composition/tokens.js';
import { sessionOf } from '../../src/http/request-state.js';
import { type Composed, compose } from '../support/composed.js';

const openSessions = ({ database }: Composed): number => database.sessions.stats.open;

describe("a request's database session", () => {
  it('[TH-2] is closed after each of 1,000 requests, whatever became of them', async () => {
    await using composed = await compose();
    const { app } = composed.router;
    app.get('/fails', async () => {
      throw new Error('as it does');
    });
    const { headers } = await composed.register('somebody');
    const post = { method: 'POST', url: '/api/threads', headers } as const;
    const kinds = [
      () => app.inject({ method: 'GET', url: '/api/threads', headers }),
      () => app.inject({ ...post, payload: { title: 'A thread' } }),
      () => app.inject({ ...post, payload: { title: 7 } }),
      () =>
        app.inject({
          ...post,
          payload: 'no json',
          headers: { ...headers, 'content-type': 'application/json' },
        }),
      () => app.inject({ method: 'GET', url: '/api/threads' }),
      () => app.inject({ method: 'GET', url: '/api/threads/nothing', headers }),
      () => app.inject({ method: 'GET', url: '/no/such/page' }),
      () => app.inject({ method: 'GET', url: '/fails' }),
      () => app.inject({ method: 'GET', url: '/health/ready' }),
      () => app.inject({ method: 'GET', url: '/%zz' }),
    ];
    const opened = composed.database.sessions.stats.opened;
    const statuses = new Set<number>();
    for (let round = 0; round < 20; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => kinds.map(async (ask) => await ask())).flat(),
      );
      for (const { statusCode } of answers) statuses.add(statusCode);
    }
    expect([...statuses].sort((a, b) => a - b)).toEqual([200, 201, 400, 401, 404, 422, 500]);
    expect(openSessions(composed)).toBe(0);
    // All but those that no route can take opened one.
    expect(composed.database.sessions.stats.opened - opened).toBeGreaterThanOrEqual(900);
  }, 30_000);

  it('[TH-2] is closed when the client goes before its answer, and refuses what the handler still does', async () => {
    await using composed = await compose();
    const { app } = composed.router;
    const begun = createDeferred();
    const gone = createDeferred();
    const after = createDeferred<unknown>();
    app.get('/slow', async (incoming) => {
      const session = sessionOf(composed.scope.get(TOKENS.states), incoming);
      begun.resolve();
      await gone.promise;
      try {
        after.resolve(await session.db.selectFrom('users').selectAll().execute());
      } catch (error) {
        after.resolve(error);
      }
      return {};
    });
    app.addHook('onRequest', async (_incoming, reply) => void reply.raw.once('close', () => gone.resolve()));
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const sent = request({ port, path: '/slow' }).end();
    sent.on('error', () => undefined);
    await begun.promise;
    expect(openSessions(composed)).toBe(1);
    sent.destroy();
    await expect(after.promise).resolves.toMatchObject({ code: 'SESSION_CLOSED' });
    expect(openSessions(composed)).toBe(0);
  });
});

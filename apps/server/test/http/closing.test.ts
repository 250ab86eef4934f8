import { once } from 'node:events';
import { type ClientRequest, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import { TOKENS } from '../../src/composition/tokens.js';
import { type Composed, compose } from '../support/composed.js';

async function listen({ router }: Composed): Promise<number> {
  await router.app.listen({ host: '127.0.0.1', port: 0 });
  return (router.app.server.address() as AddressInfo).port;
}

describe('the end of the application', () => {
  const sent = (port: number, path: string): ClientRequest => request({ port, path, agent: false }).end();

  it('does not wait for a connection that was opened and never used', async () => {
    await using composed = await compose();
    const port = await listen(composed);
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    // The server has seen it, since it has answered a later one.
    const [answer] = await once(sent(port, '/health/live'), 'response');
    answer.resume();
    const ended = once(socket, 'close');
    await composed.router.closeHttp(60_000);
    await ended;
  });

  it('answers the request under way first', async () => {
    await using composed = await compose();
    const begun = createDeferred();
    const held = createDeferred();
    composed.router.app.get('/slow', async () => {
      begun.resolve();
      await held.promise;
      return { done: true };
    });
    const port = await listen(composed);
    const answered = once(sent(port, '/slow'), 'response');
    await begun.promise;
    let closed = false;
    const closing = composed.router.closeHttp(60_000).then(() => {
      closed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toBe(false);
    held.resolve();
    const [answer] = await answered;
    expect(answer.statusCode).toBe(200);
    answer.resume();
    await closing;
  });

  it('cuts a request that does not end in its time', async () => {
    await using composed = await compose();
    const begun = createDeferred();
    const cut = createDeferred();
    composed.router.app.get('/never', async (_request, reply) => {
      reply.raw.once('close', () => cut.resolve());
      begun.resolve();
      return await new Promise(() => undefined);
    });
    const port = await listen(composed);
    const answered = once(sent(port, '/never'), 'response');
    await begun.promise;
    await composed.router.closeHttp(100);
    await expect(answered).rejects.toMatchObject({ code: 'ECONNRESET' });
    await cut.promise;
    expect(composed.scope.get(TOKENS.sessions).stats.open).toBe(0);
  });
});

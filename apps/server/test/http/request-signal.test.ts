import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import { signalOf } from '../../src/http/request-signal.js';
import { compose } from '../support/composed.js';

/** Calls a route whose client goes before or after the handler asks for its signal. */
async function goneClient(order: 'before' | 'after'): Promise<AbortSignal> {
  await using composed = await compose();
  const { app } = composed.router;
  const begun = createDeferred();
  const gone = createDeferred();
  const taken = createDeferred<AbortSignal>();
  app.get('/slow', async (_request, reply) => {
    reply.raw.once('close', () => gone.resolve());
    const early = order === 'after' ? signalOf(reply) : undefined;
    begun.resolve();
    await gone.promise;
    taken.resolve(early ?? signalOf(reply));
    return {};
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const sent = request({ port: (app.server.address() as AddressInfo).port, path: '/slow' }).end();
  sent.on('error', () => undefined);
  await begun.promise;
  sent.destroy();
  return await taken.promise;
}

describe("a request's signal", () => {
  it('[CX-7] aborts when the client goes before it was answered', async () => {
    expect((await goneClient('after')).aborted).toBe(true);
  });

  it('[CX-7] is aborted from the start when the client has gone already', async () => {
    expect((await goneClient('before')).aborted).toBe(true);
  });

  it('does not abort when the request was answered', async () => {
    await using composed = await compose();
    const { app } = composed.router;
    const answered = createDeferred<AbortSignal>();
    app.get('/quick', async (_request, reply) => {
      const signal = signalOf(reply);
      reply.raw.once('close', () => answered.resolve(signal));
      return {};
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const sent = request({ port: (app.server.address() as AddressInfo).port, path: '/quick' }).end();
    sent.on('response', (answer) => answer.resume());
    expect((await answered.promise).aborted).toBe(false);
  });
});

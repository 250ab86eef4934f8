import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createDeferred, type Deferred } from '@runwire/kernel';
import { createHttpApp, type HttpOptions, type RunwireHttpApp } from '../../src/http/app.js';
import { createRequestsUnderWay } from '../../src/http/requests-under-way.js';
import { compose } from '../support/composed.js';

const OPTIONS: HttpOptions = {
  maxRequestsPerMinute: 1_000,
  trustProxy: false,
  version: '0.0.0',
  limits: { authenticationTimeoutMs: 60_000 },
};

/** An application that takes a body, and one request that is answered when the test says so. */
async function listening(
  options: Partial<HttpOptions>,
  slow: Deferred<void> = createDeferred(),
): Promise<{ port: number } & AsyncDisposable> {
  const composed = await compose();
  const { database, ids, logger } = composed;
  const underWay = createRequestsUnderWay();
  const http = { ids, logger, sessions: database.sessions, states: new WeakMap(), underWay };
  const app: RunwireHttpApp = await createHttpApp(http, { ...OPTIONS, ...options });
  app.post('/echo', (request) => request.body);
  app.get('/slow', () => slow.promise.then(() => ({ done: true })));
  await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    port: (app.server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      app.server.closeAllConnections();
      await app.close();
      await composed[Symbol.asyncDispose]();
    },
  };
}

/** Writes `text` a byte at a time until it is answered or cut; settles with the answer's status line. */
async function drip(port: number, head: string, text: string): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const answered = createDeferred<string>();
  socket.on('error', () => {});
  socket.once('data', (chunk: Buffer) => answered.resolve(chunk.toString().split('\r\n')[0] ?? ''));
  socket.once('close', () => answered.resolve('cut'));
  socket.write(head);
  let sent = 0;
  const next = (): void => {
    if (!answered.pending || sent === text.length) return;
    socket.write(text[sent] ?? '', () => setImmediate(next));
    sent += 1;
  };
  next();
  const status = await answered.promise;
  socket.destroy();
  return status;
}

const UPGRADE =
  'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n';
const POST =
  'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 200000\r\n\r\n';

describe('a request that does not end', () => {
  it('[WS-6] is answered 408 when its headers, half a handshake too, take longer than authentication may', async () => {
    await using app = await listening({ limits: { authenticationTimeoutMs: 200 } });
    for (const head of [UPGRADE, 'P', '']) {
      expect(await drip(app.port, head, '')).toBe('HTTP/1.1 408 Request Timeout');
    }
    const filler = `X-Filler: ${'x'.repeat(15_000)}`;
    expect(await drip(app.port, UPGRADE, filler)).toBe('HTTP/1.1 408 Request Timeout');
  }, 30_000);

  it('[WS-6] is answered 408 when its body takes longer than a request may', async () => {
    await using app = await listening({ requestTimeoutMs: 200, limits: { authenticationTimeoutMs: 100 } });
    expect(await drip(app.port, POST, '{')).toBe('HTTP/1.1 408 Request Timeout');
    expect(await drip(app.port, POST, ' '.repeat(199_999))).toBe('HTTP/1.1 408 Request Timeout');
  }, 30_000);

  it('is not one that came whole and waits for its answer', async () => {
    const answer = createDeferred();
    await using app = await listening(
      { requestTimeoutMs: 200, limits: { authenticationTimeoutMs: 100 } },
      answer,
    );
    const waiting = drip(app.port, 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n', '');
    // What began later is cut: it was looked for twice since.
    for (let n = 0; n < 2; n += 1)
      expect(await drip(app.port, POST, '')).toBe('HTTP/1.1 408 Request Timeout');
    answer.resolve();
    expect(await waiting).toBe('HTTP/1.1 200 OK');
  }, 30_000);
});

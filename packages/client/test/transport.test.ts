import { describe, expect, it } from '@jest/globals';
import type { ClientMessage } from '@runwire/protocol';
import { thinking, thoughts } from './support/drafts.js';
import type { FakeRequest } from './support/fake-http.js';
import { rejection } from './support/fake-server.js';
import { createHarness, type Harness, seqs, upTo } from './support/harness.js';

/** The paths that were asked for. */
function paths({ http }: Harness): string[] {
  return http.requests.map(({ method, url }) => `${method} ${url.pathname}`);
}

/** What was posted, in order. */
function posted({ http }: Harness): ClientMessage[] {
  const posts = http.requests.filter(({ method }) => method === 'POST');
  return posts.map(({ body }) => JSON.parse(body) as ClientMessage);
}

/** A door that lets event streams in, and does this to WebSockets. */
function blockWebSockets(h: Harness, how: 'refuse' | 'hang'): void {
  h.server.door = ({ url }) => (url.protocol === 'wss:' ? how : undefined);
}

/** Each byte of a stream is a turn of its own. */
async function settleBytes({ clock }: Harness): Promise<void> {
  for (let n = 0; n < 200; n += 1) await clock.settle();
}

describe('the choice of the transport', () => {
  it('is WebSocket, and nothing else is asked for', async () => {
    await using h = createHarness();
    await h.connect();
    expect(h.client.transport).toBe('websocket');
    expect(h.http.requests).toEqual([]);
  });

  it('falls back after two refused upgrades when the server would have accepted them', async () => {
    await using h = createHarness();
    blockWebSockets(h, 'refuse');
    h.server.append(...thoughts(3));
    const connected = h.client.connect();
    await h.clock.advance(5_000);
    await connected;
    expect(h.client.transport).toBe('sse');
    expect(h.client.state.kind).toBe('live');
    expect(paths(h)).toEqual(['GET /ws', 'GET /api/stream']);
    h.server.append(thinking('four'));
    await h.clock.settle();
    expect(seqs(h.applied)).toEqual([4]);
  });

  it('falls back after one attempt that hangs, without asking', async () => {
    await using h = createHarness();
    blockWebSockets(h, 'hang');
    const connected = h.client.connect();
    await h.clock.advance(11_000);
    await connected;
    expect(paths(h)).toEqual(['GET /api/stream']);
    expect(h.client.transport).toBe('sse');
  });

  it('falls back also when an attempt that was refused comes before the one that hangs', async () => {
    await using h = createHarness();
    h.server.door = ({ url }) => {
      if (url.protocol !== 'wss:') return undefined;
      return h.server.connections.length === 1 ? 'refuse' : 'hang';
    };
    const connected = h.client.connect();
    await h.clock.advance(12_000);
    await connected;
    expect(paths(h)).toEqual(['GET /api/stream']);
    expect(h.server.connections).toHaveLength(3);
  });

  it('tries one after the other where both hang', async () => {
    await using h = createHarness();
    h.server.door = () => 'hang';
    h.client.connect().catch(() => undefined);
    await h.clock.advance(100_000);
    const kinds = h.server.connections.map(({ url }) => (url.protocol === 'wss:' ? 'w' : 's')).join('');
    expect(kinds).toMatch(/^wswsw/);
  });

  it('falls back where upgrades are accepted and the connection then dies before it is established', async () => {
    await using h = createHarness();
    h.server.door = ({ url }) => (url.protocol === 'wss:' ? 1006 : undefined);
    const connected = h.client.connect();
    await h.clock.advance(5_000);
    await connected;
    expect(h.client.transport).toBe('sse');
  });

  it('stays with WebSocket when the server says why of every other attempt that is not established', async () => {
    await using h = createHarness();
    let attempts = 0;
    h.server.door = () => {
      attempts += 1;
      return attempts <= 4 ? [1006, 4503][attempts % 2] : undefined;
    };
    const connected = h.client.connect();
    await h.clock.advance(60_000);
    await connected;
    expect(attempts).toBe(5);
    expect([h.client.transport, h.http.requests]).toEqual(['websocket', []]);
  });

  it('asks for no reason when a listener closes the client as it is told of the failure', async () => {
    await using h = createHarness();
    h.server.door = () => 'refuse';
    h.client.onState((state) => {
      if (state.kind === 'waiting' && state.attempt === 3) void h.client.close();
    });
    const connected = expect(h.client.connect()).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    await h.clock.advance(60_000);
    await connected;
    expect([h.server.connections.length, h.http.requests]).toEqual([2, []]);
  });

  it('stays with WebSocket when the server itself is away or says why', async () => {
    for (const status of [502, 503]) {
      await using h = createHarness();
      h.server.door = () => 'refuse';
      h.http.instead = async () => new Response(null, { status });
      h.client.connect().catch(() => undefined);
      await h.clock.advance(120_000);
      expect(h.client.transport).toBe('websocket');
      expect(new Set(paths(h))).toEqual(new Set(['GET /ws']));
    }
  });

  it('goes back to WebSocket when the fallback does not work either, and tries again later', async () => {
    await using h = createHarness();
    h.server.door = () => 'refuse';
    h.client.connect().catch(() => undefined);
    await h.clock.advance(60_000);
    const kinds = h.server.connections.map(({ url }) => (url.protocol === 'wss:' ? 'w' : 's')).join('');
    expect(kinds).toMatch(/^wwswws/);
    h.server.door = undefined;
    await h.clock.advance(30_000);
    expect(h.client.state.kind).toBe('live');
  });

  it('keeps the fallback once it has worked, also over a restart of the server', async () => {
    await using h = createHarness();
    blockWebSockets(h, 'refuse');
    const connected = h.client.connect();
    await h.clock.advance(5_000);
    await connected;
    h.server.append(thinking('a'));
    await h.clock.settle();
    const before = h.server.connections.length;
    h.server.door = () => 'refuse';
    h.server.last.close(1006);
    h.server.append(thinking('b'));
    await h.clock.advance(30_000);
    blockWebSockets(h, 'refuse');
    await h.clock.advance(30_000);
    expect(seqs(h.applied)).toEqual([1, 2]);
    const later = h.server.connections.slice(before);
    expect(later.every(({ url }) => url.protocol === 'https:')).toBe(true);
  });

  it('is the only one tried when it is named', async () => {
    await using only = createHarness({ transport: 'websocket' });
    only.server.door = () => 'hang';
    only.client.connect().catch(() => undefined);
    await only.clock.advance(60_000);
    expect(new Set(paths(only))).toEqual(new Set(['GET /ws']));
    await using sse = createHarness({ transport: 'sse' });
    await sse.connect();
    expect(paths(sse)).toEqual(['GET /api/stream']);
  });

  it('is refused as an option where there is nothing to make it of', () => {
    const fetcher = globalThis.fetch;
    const none = { fetch: undefined, webSocket: undefined } as object;
    try {
      Reflect.deleteProperty(globalThis, 'fetch');
      expect(() => createHarness({ ...none, transport: 'sse' })).toThrow('There is no global');
    } finally {
      globalThis.fetch = fetcher;
    }
  });

  it('leaves nothing behind when the client is closed while the fallback is being fetched', async () => {
    await using h = createHarness({ transport: 'sse' });
    const connected = expect(h.client.connect()).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    await h.client.close();
    await h.clock.settle();
    await connected;
    expect(h.http.requests).toEqual([]);
  });
});

describe('server-sent events', () => {
  const createSse = (): Harness => createHarness({ transport: 'sse', start: 'beginning' });

  it('carry the token in a header, the cursor in the address, and nothing else in the address', async () => {
    await using h = createSse();
    h.server.append(...thoughts(5));
    await h.connect();
    const [opened] = h.http.requests;
    expect(opened?.url.href).toBe('https://example.test/api/stream?seq=0');
    expect(opened?.headers.get('authorization')).toBe('Bearer token-1');
    expect(seqs(h.applied)).toEqual(upTo(5));
  });

  it('lie beside the address of the WebSocket', async () => {
    await using h = createHarness({ transport: 'sse', url: 'wss://example.test/prefix/ws' });
    h.client.connect().catch(() => undefined);
    await h.clock.settle();
    expect(h.http.requests[0]?.url.href).toBe('https://example.test/prefix/api/stream');
  });

  it('[BR-4] lose and repeat nothing over drops, byte by byte and with every line end', async () => {
    for (const lineEnd of ['\n', '\r\n', '\r']) {
      await using h = createSse();
      h.http.lineEnd = lineEnd;
      h.http.cut = (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte));
      await h.connect();
      h.server.append(thinking('Grüße 👋'), ...thoughts(3));
      await settleBytes(h);
      h.server.last.close(1006);
      await settleBytes(h);
      h.server.append(...thoughts(4));
      await h.clock.advance(20_000);
      await settleBytes(h);
      expect(seqs(h.applied)).toEqual(upTo(8));
      expect(h.applied[0]?.data).toMatchObject({ text: 'Grüße 👋' });
      expect(h.server.last.url.search).toBe('?epoch=epoch_1&seq=4&id=epoch_1_evt_4');
      expect(h.client.stats.duplicates).toBe(0);
    }
  });

  it('ack by POST, and only the newest of the acks that wait', async () => {
    await using h = createSse();
    await h.connect();
    const held: (() => void)[] = [];
    h.http.instead = ({ method }) => {
      if (method !== 'POST') return undefined;
      return new Promise((resolve) => held.push(() => resolve(new Response(null, { status: 204 }))));
    };
    for (let n = 0; n < 4; n += 1) {
      h.server.append(thinking('x'));
      await h.clock.advance(300);
    }
    expect(posted(h)).toEqual([{ type: 'ack', seq: 1 }]);
    h.http.instead = undefined;
    held[0]?.();
    await h.clock.settle();
    expect(posted(h)).toEqual([
      { type: 'ack', seq: 1 },
      { type: 'ack', seq: 4 },
    ]);
    expect(h.server.last.acked).toBe(4);
    expect(h.http.requests.at(-1)?.headers.get('runwire-connection')).toBe('con_1');
  });

  it('send commands in order, one at a time, and settle them with their answers', async () => {
    await using h = createSse();
    await h.connect();
    const open: FakeRequest[] = [];
    h.http.instead = (request) => {
      open.push(request);
      return undefined;
    };
    const answers = ['a', 'b', 'c'].map((content) => h.client.send({ content, threadId: 'thr_1' }));
    expect(open).toHaveLength(1);
    await h.clock.settle();
    expect(await Promise.all(answers)).toHaveLength(3);
    expect(posted(h).map((message) => Reflect.get(message, 'content'))).toEqual(['a', 'b', 'c']);
  });

  it('tell a rejected command its code', async () => {
    await using h = createSse();
    await h.connect();
    h.server.onMessage = (message, connection) => {
      if (message.type !== 'user_message') return false;
      connection.control(rejection(message.id ?? null, 'THREAD_BUSY'));
      return true;
    };
    await expect(h.client.send({ content: 'x' })).rejects.toMatchObject({ code: 'THREAD_BUSY' });
  });

  const refusals: readonly [status: number, code: string][] = [
    [400, 'INVALID_JSON'],
    [413, 'MESSAGE_TOO_LARGE'],
    [415, 'INVALID_MESSAGE'],
    [422, 'UNKNOWN_MESSAGE_TYPE'],
  ];

  it.each(refusals)('stay when a POST is answered %d, and its command is rejected', async (status, code) => {
    await using h = createSse();
    await h.connect();
    h.http.instead = async () => {
      h.http.instead = undefined;
      return Response.json({ error: { code, message: 'no' } }, { status });
    };
    const [first, second] = [h.client.send({ content: 'x' }), h.client.send({ content: 'y' })];
    await expect(first).rejects.toMatchObject({ code, message: 'no', details: { retryable: false } });
    expect(await second).toMatchObject({ runId: 'run_1' });
    expect([h.client.state.kind, h.server.connections.length]).toEqual(['live', 1]);
    expect(h.problems).toEqual([]);
  });

  const pages: readonly [status: number, body: string, code: string][] = [
    [400, 'null', 'INVALID_MESSAGE'],
    [413, '<html>413 Request Entity Too Large</html>', 'MESSAGE_TOO_LARGE'],
    [415, '{"error":"Unsupported Media Type"}', 'INVALID_MESSAGE'],
    [422, '', 'INVALID_MESSAGE'],
  ];

  it.each(pages)('reject a command also when %d is the answer of a proxy: %s', async (status, body, code) => {
    await using h = createSse();
    await h.connect();
    h.http.instead = async () => new Response(body, { status });
    const message = `The message was refused with status ${status}.`;
    await expect(h.client.send({ content: 'x' })).rejects.toMatchObject({ code, message });
    expect([h.client.state.kind, h.server.connections.length]).toEqual(['live', 1]);
  });

  it('stay when an ack is refused, which is reported, and ack again with the next event', async () => {
    await using h = createSse();
    await h.connect();
    h.http.instead = async () => new Response(null, { status: 400 });
    h.server.append(thinking('a'));
    await h.clock.advance(300);
    expect(h.problems.map(({ code }) => code)).toEqual(['INVALID_MESSAGE']);
    h.http.instead = undefined;
    h.server.append(thinking('b'));
    await h.clock.advance(300);
    expect([h.server.connections.length, h.server.last.acked]).toEqual([1, 2]);
  });

  it('repeat a command whose POST failed under the same id, and it is done once', async () => {
    await using h = createSse();
    await h.connect();
    h.http.instead = (request) => {
      if (request.method !== 'POST') return undefined;
      h.http.instead = undefined;
      // It arrived; the answer did not.
      void h.http.fetch(request.url, {
        method: 'POST',
        headers: request.headers,
        body: request.body,
      });
      return Promise.reject(new TypeError('fetch failed'));
    };
    const sent = h.client.send({ content: 'x' });
    await h.clock.advance(2_000);
    expect(await sent).toMatchObject({ runId: 'run_1' });
    expect(h.server.executed).toHaveLength(1);
  });

  it('ask again by POST for what is missing, and get it on the stream', async () => {
    await using h = createSse();
    await h.connect();
    h.server.last.live = false;
    h.server.append(...thoughts(4));
    h.server.last.sent = 4;
    h.server.last.control({ type: 'heartbeat', sent: 4, head: 4, serverTimeMs: h.clock.nowMs() });
    await h.clock.settle();
    expect(posted(h).some(({ type }) => type === 'resync')).toBe(true);
    expect(seqs(h.applied)).toEqual(upTo(4));
  });

  it('answer each heartbeat, so that the server sees life', async () => {
    await using h = createSse();
    await h.connect();
    for (let n = 1; n <= 3; n += 1) {
      h.server.last.control({ type: 'heartbeat', sent: 0, head: 0, serverTimeMs: h.clock.nowMs() });
      await h.clock.advance(20_000);
      expect(posted(h)).toEqual(Array(n).fill({ type: 'ping' }));
    }
    // A post that is under way says it too.
    h.client.stop('run_1').catch(() => undefined);
    h.server.last.control({ type: 'heartbeat', sent: 0, head: 0, serverTimeMs: h.clock.nowMs() });
    await h.clock.settle();
    expect(posted(h).slice(3)).toMatchObject([{ type: 'stop_agent' }]);
  });

  it('[AU-3] take a new token, and use it from then on', async () => {
    await using h = createSse();
    await h.connect();
    h.server.last.control({ type: 'auth_expiring', expiresAtMs: h.clock.nowMs() + 60_000 });
    await h.clock.settle();
    const refresh = h.http.requests.at(-1);
    expect(refresh?.headers.get('authorization')).toBe('Bearer token-1');
    expect(posted(h).at(-1)).toMatchObject({ type: 'refresh_token', token: 'token-2' });
    await h.client.stop('run_1');
    expect(h.http.requests.at(-1)?.headers.get('authorization')).toBe('Bearer token-2');
  });

  it('move make-before-break from a draining server', async () => {
    await using h = createSse();
    await h.connect();
    const old = h.server.last;
    old.control({ type: 'server_draining', reconnectAfterMs: 1_000, deadlineAtMs: 0 });
    h.server.append(thinking('a'));
    await h.clock.advance(1_000);
    expect(h.server.last.url.searchParams.get('replaces')).toBe(old.id);
    h.server.append(thinking('b'));
    await h.clock.settle();
    expect(seqs(h.applied)).toEqual([1, 2]);
    expect(h.client.state).toEqual({ kind: 'live', connectionId: 'con_2' });
    expect(h.client.transport).toBe('sse');
  });

  it('send the last ack when the client is closed', async () => {
    await using h = createSse();
    await h.connect();
    h.server.append(thinking('a'));
    await h.clock.settle();
    await h.client.close();
    await h.clock.settle();
    expect(posted(h)).toEqual([{ type: 'ack', seq: 1 }]);
    expect(h.server.open).toEqual([]);
  });

  it('send what still waits to be posted when the client is closed', async () => {
    await using h = createSse();
    await h.connect();
    let release = (): void => undefined;
    h.http.instead = () =>
      new Promise((resolve) => {
        release = () => resolve(new Response(null, { status: 204 }));
      });
    h.server.append(thinking('a'));
    await h.clock.advance(300);
    h.server.append(thinking('b'));
    await h.clock.advance(300);
    await h.client.close();
    h.http.instead = undefined;
    release();
    await h.clock.settle();
    expect(posted(h)).toEqual([
      { type: 'ack', seq: 1 },
      { type: 'ack', seq: 2 },
    ]);
    expect(h.server.open).toEqual([]);
  });

  it('do not wait for ever for the answer to it', async () => {
    await using h = createSse();
    await h.connect();
    h.server.append(thinking('a'));
    await h.clock.settle();
    h.http.instead = () => new Promise(() => undefined);
    await h.client.close();
    await h.clock.advance(1_000);
    expect(h.server.open).toEqual([]);
  });

  it('are found dead, as a WebSocket is, within 50 s, and 3 s after coming online', async () => {
    await using h = createSse();
    await h.connect();
    h.server.last.dead = true;
    await h.clock.advance(50_000);
    expect(h.server.connections).toHaveLength(2);
    await h.clock.advance(1_000);
    h.server.last.dead = true;
    h.page.give('online');
    await h.clock.advance(3_000);
    expect(h.server.connections).toHaveLength(3);
  });

  it('are given up when a proxy holds everything back', async () => {
    await using h = createSse();
    h.server.door = () => 'hang';
    h.client.connect().catch(() => undefined);
    await h.clock.advance(10_000);
    expect(h.client.state).toMatchObject({ kind: 'waiting', reason: 'not established in time' });
  });
});

describe('the end of an event stream', () => {
  const states: readonly [code: number, state: object][] = [
    [4403, { kind: 'stopped', code: 4403, resumable: false }],
    [4409, { kind: 'stopped', code: 4409, resumable: true }],
    [1012, { kind: 'waiting', closeCode: 1012 }],
    [1006, { kind: 'waiting', closeCode: 1006 }],
  ];

  it.each(states)('with the close event of %d means what that code means', async (code, state) => {
    await using h = createHarness({ transport: 'sse' });
    await h.connect();
    h.server.last.close(code, 'why');
    await h.clock.settle();
    expect(h.client.state).toMatchObject(state);
  });

  const statuses: readonly [status: number, state: object][] = [
    [401, { kind: 'waiting', closeCode: 4401 }],
    [403, { kind: 'stopped', code: 4403 }],
    [404, { kind: 'waiting', closeCode: 1006, reason: 'answered 404' }],
    [429, { kind: 'waiting', closeCode: 4503 }],
    [500, { kind: 'waiting', closeCode: 1006, reason: 'answered 500' }],
    [503, { kind: 'waiting', closeCode: 4503 }],
  ];

  it.each(statuses)('before its beginning with status %d is told like a close', async (status, state) => {
    await using h = createHarness({ transport: 'sse' });
    h.http.instead = async () => Response.json({ error: {} }, { status });
    h.client.connect().catch(() => undefined);
    await h.clock.settle();
    expect(h.client.state).toMatchObject(state);
  });

  const ofPosts: readonly [status: number, state: object][] = [
    [401, { kind: 'waiting', closeCode: 4401 }],
    [403, { kind: 'stopped', code: 4403 }],
    [404, { kind: 'waiting', closeCode: 1006, reason: 'answered 404' }],
    [429, { kind: 'waiting', closeCode: 1006, reason: 'answered 429' }],
    [500, { kind: 'waiting', closeCode: 1006, reason: 'answered 500' }],
    [503, { kind: 'waiting', closeCode: 1006, reason: 'answered 503' }],
  ];

  it.each(ofPosts)('comes when a POST is answered with status %d', async (status, state) => {
    await using h = createHarness({ transport: 'sse' });
    await h.connect();
    h.http.instead = async () => Response.json({ error: {} }, { status });
    h.client.stop('run_1').catch(() => undefined);
    await h.clock.settle();
    expect(h.client.state).toMatchObject(state);
  });

  it('waits as long as Retry-After says', async () => {
    await using h = createHarness({ transport: 'sse' });
    h.http.instead = async () => new Response(null, { status: 503, headers: { 'retry-after': '60' } });
    h.client.connect().catch(() => undefined);
    await h.clock.advance(59_000);
    expect(h.http.requests).toHaveLength(1);
    h.http.instead = undefined;
    await h.clock.advance(10_000);
    expect(h.client.state.kind).toBe('live');
  });

  it('comes when something else answers, or answers with something else', async () => {
    for (const response of [new Response('<html>'), new Response(null)]) {
      await using h = createHarness({ transport: 'sse' });
      h.http.instead = async () => response;
      h.client.connect().catch(() => undefined);
      await h.clock.settle();
      expect(h.client.state).toMatchObject({ kind: 'waiting', closeCode: 1006 });
    }
  });

  it('comes when a POST is not answered within 30 s', async () => {
    await using h = createHarness({ transport: 'sse' });
    await h.connect();
    h.http.instead = ({ method }) => (method === 'POST' ? new Promise(() => undefined) : undefined);
    h.client.stop('run_1').catch(() => undefined);
    const heartbeat = { type: 'heartbeat', sent: 0, head: 0, serverTimeMs: 0 } as const;
    await h.clock.advance(20_000);
    h.server.last.control(heartbeat);
    await h.clock.advance(9_999);
    expect(h.client.state.kind).toBe('live');
    await h.clock.advance(1);
    expect(h.client.state).toMatchObject({ kind: 'waiting', reason: 'a POST was not answered in time' });
  });

  it('comes as 1009, which stops the client and is reported, when a message is beyond 1 MiB', async () => {
    await using h = createHarness({ transport: 'sse' });
    await h.connect();
    h.server.last.sendRaw(`{"type":"novelty","x":"${'x'.repeat(1_048_000)}"}`);
    await h.clock.settle();
    expect(h.client.state.kind).toBe('live');
    h.server.last.sendRaw(`{"type":"novelty","x":"${'x'.repeat(1_048_600)}"}`);
    await h.clock.settle();
    expect(h.client.state).toMatchObject({ kind: 'stopped', code: 1009 });
    expect(h.problems.map(({ code }) => code)).toEqual(['STOPPED']);
  });
});

import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import { createHttpFixture, type HttpFixture } from './support/http-fixture.js';

/** Of RFC 6455 §1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

const PLAIN: Readonly<Record<string, string>> = {
  Host: 'x',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': KEY,
  'Sec-WebSocket-Protocol': 'runwire.v1',
};

/** The answer's head to a request with these headers, and without a token unless they bring it. */
async function answerTo(fixture: HttpFixture, headers: Readonly<Record<string, string>>): Promise<string> {
  const socket = fixture.raw();
  const lines = Object.entries({ ...PLAIN, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET /ws HTTP/1.1\r\n${lines.join('')}\r\n`);
  const answer = createDeferred<string>();
  let text = '';
  socket.on('data', (data: Buffer) => {
    text += data.toString('latin1');
    if (text.includes('\r\n\r\n')) answer.resolve(text.slice(0, text.indexOf('\r\n\r\n') + 4));
  });
  const head = await answer.promise;
  socket.destroy();
  return head;
}

describe('a handshake without anything to judge', () => {
  it('is answered as RFC 6455 has it', async () => {
    await using fixture = await createHttpFixture();
    expect(await answerTo(fixture, {})).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${ACCEPT}\r\nSec-WebSocket-Protocol: runwire.v1\r\n\r\n`,
    );
  });

  // Each of these differs from it in something that only `ws` takes.
  it.each([
    ['another case', { Upgrade: 'WebSocket' }],
    ['an older version', { 'Sec-WebSocket-Version': '8' }],
    ['further subprotocols', { 'Sec-WebSocket-Protocol': 'chat, runwire.v1' }],
  ])('is answered byte for byte as one with %s', async (_what, headers) => {
    await using fixture = await createHttpFixture();
    expect(await answerTo(fixture, headers)).toBe(await answerTo(fixture, {}));
  });

  it.each([
    ['a token behind the subprotocol', 'runwire.v1, bearer.abc', 101],
    ['the same without a space', 'runwire.v1,bearer.abc-_9', 101],
    ['two offers of it', 'runwire.v1, runwire.v1', 400],
    ['two tokens that are the same', 'runwire.v1, bearer.a, bearer.a', 400],
    ['an empty offer', 'runwire.v1,', 400],
    ['a character that no subprotocol has', 'runwire.v1, bearer.a=', 400],
    ['another version of it', 'runwire.v2', 400],
    ['a name that only resembles it', 'runwirexv1', 400],
  ])('with %s has the answer of its offer', async (_what, protocol, status) => {
    await using fixture = await createHttpFixture();
    const answer = await answerTo(fixture, { 'Sec-WebSocket-Protocol': protocol });
    expect(answer).toContain(`HTTP/1.1 ${status} `);
    expect(answer.includes('Sec-WebSocket-Protocol: runwire.v1\r\n')).toBe(status === 101);
  });

  it.each([
    ['a key that is too short', { 'Sec-WebSocket-Key': 'abc' }],
    ['no key', { 'Sec-WebSocket-Key': '' }],
    ['a version of the future', { 'Sec-WebSocket-Version': '14' }],
  ])('is none with %s', async (_what, headers) => {
    await using fixture = await createHttpFixture();
    expect(await answerTo(fixture, headers)).toContain('HTTP/1.1 400 ');
    expect(fixture.server.stats().refused['malformed']).toBe(1);
  });

  it('makes a WebSocket that answers pings, keeps the limits and closes', async () => {
    await using fixture = await createHttpFixture({}, { limits: { maxTransportFrameBytes: 70_000 } });
    const ws = fixture.client({ token: fixture.ports.token(), protocols: ['runwire.v1'] });
    await once(ws, 'message');
    expect(ws.protocol).toBe('runwire.v1');
    ws.ping('are you there');
    const [payload] = await once(ws, 'pong');
    expect(String(payload)).toBe('are you there');
    ws.send('x'.repeat(70_001));
    const [code] = await once(ws, 'close');
    expect(code).toBe(1009);
  });

  it('takes what came with it', async () => {
    await using fixture = await createHttpFixture();
    const socket = fixture.raw();
    const lines = Object.entries(PLAIN).map(([name, value]) => `${name}: ${value}\r\n`);
    // A masked close frame without a code, its mask all zeros.
    const close = Buffer.from([0x88, 0x80, 0, 0, 0, 0]);
    socket.write(Buffer.concat([Buffer.from(`GET /ws HTTP/1.1\r\n${lines.join('')}\r\n`), close]));
    const chunks: Buffer[] = [];
    socket.on('data', (data: Buffer) => chunks.push(data));
    await once(socket, 'end');
    expect(Buffer.concat(chunks).subarray(-2)).toEqual(Buffer.from([0x88, 0]));
  });
});

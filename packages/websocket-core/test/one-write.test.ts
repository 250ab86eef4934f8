import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import type { Principal } from '../src/index.js';
import { createHttpFixture } from './support/http-fixture.js';

type Written = (error?: Error | null) => void;

/** Notes each request of the stream to the operating system to write, with its number of buffers. */
function countWrites(socket: Socket): readonly number[] {
  const writes: number[] = [];
  const write = socket._write.bind(socket);
  const writeTogether = socket._writev?.bind(socket);
  socket._write = (chunk: unknown, encoding: BufferEncoding, done: Written) => {
    writes.push(1);
    write(chunk, encoding, done);
  };
  socket._writev = (chunks: { chunk: unknown; encoding: BufferEncoding }[], done: Written) => {
    writes.push(chunks.length);
    writeTogether?.(chunks, done);
  };
  return writes;
}

describe('frames that are sent together', () => {
  it('are written with one system call: a page of 1,000 events of 200 bytes', async () => {
    await using fixture = await createHttpFixture();
    const accepted = createDeferred<Socket>();
    fixture.http.on('connection', (socket: Socket) => accepted.resolve(socket));
    const ws = await fixture.ready();
    const writes = countWrites(await accepted.promise);
    const frames = Array.from({ length: 13 }, () => Buffer.alloc(15_400, 'x'));
    const all = createDeferred();
    let received = 0;
    ws.on('message', () => {
      received += 1;
      if (received === frames.length) all.resolve();
    });
    fixture.ports.opened[0]?.sendFrames(frames);
    await all.promise;
    // A header and a payload for each frame.
    expect(writes).toEqual([26]);
  });

  it('are copied behind each other when they are small, with what else is sent in the turn', async () => {
    await using fixture = await createHttpFixture();
    const accepted = createDeferred<Socket>();
    fixture.http.on('connection', (socket: Socket) => accepted.resolve(socket));
    const ws = await fixture.ready();
    const writes = countWrites(await accepted.promise);
    const received: string[] = [];
    const all = createDeferred();
    ws.on('message', (data: Buffer) => {
      received.push(data.toString());
      if (received.length === 3) all.resolve();
    });
    const [connection] = fixture.ports.opened;
    connection?.sendFrames([Buffer.from('one'), Buffer.from('two')]);
    connection?.send({ type: 'pong', n: 3 });
    expect(connection?.bufferedBytes).toBe(2 * (2 + 3) + 2 + 21);
    await all.promise;
    expect(writes).toEqual([1]);
    expect(received).toEqual(['one', 'two', '{"type":"pong","n":3}']);
    expect(connection?.bufferedBytes).toBe(0);
  });

  it.each([0, 1, 125, 126, 16_380, 65_535, 65_536, 200_000])(
    'of %d bytes arrive as they are',
    async (bytes) => {
      await using fixture = await createHttpFixture();
      const ws = await fixture.ready();
      const frames = [bytes, 1, bytes].map((length, index) => Buffer.alloc(length, `${index}`));
      const received: Buffer[] = [];
      const all = createDeferred();
      ws.on('message', (data: Buffer) => {
        received.push(data);
        if (received.length === frames.length) all.resolve();
      });
      fixture.ports.opened[0]?.sendFrames(frames);
      await all.promise;
      expect(received.map((data, index) => data.equals(frames[index] ?? data))).toEqual([true, true, true]);
    },
  );

  it('reach the peer before a close that follows them at once', async () => {
    await using fixture = await createHttpFixture();
    const ws = await fixture.ready();
    const received: string[] = [];
    ws.on('message', (data: Buffer) => received.push(data.toString()));
    const closed = once(ws, 'close');
    fixture.ports.opened[0]?.sendFrames([Buffer.from('last')]);
    fixture.ports.opened[0]?.close(4500, 'over');
    expect((await closed)[0]).toBe(4500);
    expect(received).toEqual(['last']);
  });
});

describe('the answer to a handshake', () => {
  it('goes out with connection_established in one system call when the request brings the token', async () => {
    await using fixture = await createHttpFixture();
    const counted = createDeferred<readonly number[]>();
    fixture.http.on('connection', (socket: Socket) => counted.resolve(countWrites(socket)));
    await fixture.ready();
    expect(await counted.promise).toEqual([2]);
  });

  it('goes out with the close when the token is refused', async () => {
    await using fixture = await createHttpFixture();
    const counted = createDeferred<readonly number[]>();
    fixture.http.on('connection', (socket: Socket) => counted.resolve(countWrites(socket)));
    const ws = fixture.client({ token: 'bad' });
    const [code] = await once(ws, 'close');
    expect(code).toBe(4401);
    expect((await counted.promise)[0]).toBeGreaterThan(1);
  });

  it('does not wait for a verification that takes its time', async () => {
    const verdict = createDeferred<Principal>();
    await using fixture = await createHttpFixture({ authenticate: () => verdict.promise });
    const ws = fixture.client({ token: 'slow' });
    await once(ws, 'open');
    verdict.resolve(fixture.ports.principal());
    const [message] = await once(ws, 'message');
    expect(String(message)).toContain('connection_established');
  });

  it('does not wait for a token that the first frame brings', async () => {
    await using fixture = await createHttpFixture();
    const counted = createDeferred<readonly number[]>();
    fixture.http.on('connection', (socket: Socket) => counted.resolve(countWrites(socket)));
    const ws = fixture.client();
    await once(ws, 'open');
    ws.send(JSON.stringify({ type: 'authenticate', token: fixture.ports.token() }));
    await once(ws, 'message');
    expect(await counted.promise).toEqual([1, 1]);
  });
});

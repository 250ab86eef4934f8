import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
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
});

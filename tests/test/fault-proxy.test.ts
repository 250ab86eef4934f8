import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type FaultProxy, startFaultProxy } from '../harness/fault-proxy.js';
import { pause, until, within } from '../harness/index.js';

const MEGABYTE = 1_000_000;

/** A peer that keeps what it is sent, and how it ended. */
class Peer {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  chunks = 0;
  ended = false;
  closed = false;
  error: string | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.received = Buffer.concat([this.received, bytes]);
      this.chunks += 1;
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('error', (error) => {
      this.error = 'code' in error ? String(error.code) : error.message;
    });
  }
}

describe('the fault proxy', () => {
  let server: Server;
  let accepted: Peer[];
  let proxy: FaultProxy;

  beforeEach(async () => {
    accepted = [];
    server = createServer((socket) => accepted.push(new Peer(socket)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy = await startFaultProxy(addressOf(server));
  });

  afterEach(async () => {
    await proxy[Symbol.asyncDispose]();
    for (const { socket } of accepted) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  async function dial(): Promise<readonly [client: Peer, remote: Peer]> {
    const known = accepted.length;
    const client = new Peer(connect(Number(new URL(proxy.url).port), '127.0.0.1'));
    await until(5_000, 'the connection', () => accepted.length > known);
    return [client, accepted[known] as Peer];
  }

  it('passes bytes and ends on, in both ways', async () => {
    const [client, remote] = await dial();
    client.socket.write('ping');
    remote.socket.write('pong');
    await until(
      5_000,
      'both',
      () => Buffer.concat([remote.received, client.received]).toString() === 'pingpong',
    );
    remote.socket.end('bye');
    await until(5_000, 'the end', () => client.ended && client.closed);
    expect([client.received.toString(), client.error]).toEqual(['pongbye', undefined]);
  });

  it('resets both sides, or one of which the other learns nothing', async () => {
    const [client, remote] = await dial();
    proxy.cut('client');
    await until(5_000, 'the reset', () => client.closed);
    expect(client.error).toBe('ECONNRESET');
    await pause(100);
    expect(remote.closed).toBe(false);
    const [other, otherRemote] = await dial();
    proxy.cut('server');
    await until(5_000, 'the reset', () => otherRemote.closed);
    await pause(100);
    expect(other.closed).toBe(false);
    const [both, bothRemote] = await dial();
    proxy.cut();
    await until(5_000, 'both resets', () => both.closed && bothRemote.closed);
    expect([both.error, bothRemote.error]).toEqual(['ECONNRESET', 'ECONNRESET']);
  });

  it('holds bytes back in the way that stalls, and gives them all when restored', async () => {
    const [client, remote] = await dial();
    proxy.stall('toClient');
    client.socket.write('up');
    remote.socket.write('down');
    await until(5_000, 'the other way', () => remote.received.toString() === 'up');
    await pause(100);
    expect(client.received.length).toBe(0);
    proxy.restore();
    await until(5_000, 'the rest', () => client.received.toString() === 'down');
  });

  it('keeps no more than its buffer of what a stalled receiver is sent', async () => {
    const [, remote] = await dial();
    proxy.stall('toClient');
    const bytes = Buffer.alloc(MEGABYTE);
    let written = 0;
    while (remote.socket.write(bytes) && written < 100) written += 1;
    // The kernels on the way take some; what is left stays with the sender, for ever.
    await pause(300);
    expect(remote.socket.writableLength).toBeGreaterThan(0);
    proxy.cut();
  });

  it('swallows connections for ever, ends included, and passes new ones', async () => {
    const [client, remote] = await dial();
    proxy.swallow();
    client.socket.write('lost');
    client.socket.destroy();
    await pause(100);
    proxy.restore();
    expect([remote.received.length, remote.closed]).toEqual([0, false]);
    const [next, nextRemote] = await dial();
    next.socket.write('found');
    await until(5_000, 'the new one', () => nextRemote.received.toString() === 'found');
  });

  it('cuts at a byte', async () => {
    const [client, remote] = await dial();
    remote.socket.write('12345');
    await until(5_000, 'the beginning', () => client.received.length === 5);
    proxy.cutAfter(3);
    remote.socket.write('6789');
    await until(5_000, 'the cut', () => client.closed);
    expect(client.received.toString()).toBe('12345678');
    proxy.shape({ cutAfterBytes: 2 });
    const [next, nextRemote] = await dial();
    nextRemote.socket.write('abc');
    await until(5_000, 'the cut', () => next.closed);
    expect(next.received.toString()).toBe('ab');
  });

  it('delays, slows down and slices', async () => {
    const [client, remote] = await dial();
    proxy.shape({ latencyMs: 100 });
    let begunAtMs = performance.now();
    remote.socket.write('x');
    await until(5_000, 'the byte', () => client.received.length === 1);
    expect(performance.now() - begunAtMs).toBeGreaterThan(95);
    proxy.shape({ bytesPerSecond: 10_000 });
    begunAtMs = performance.now();
    remote.socket.write(Buffer.alloc(5_000));
    await until(5_000, 'all of it', () => client.received.length === 5_001);
    expect(performance.now() - begunAtMs).toBeGreaterThan(450);
    proxy.shape({ sliceBytes: 1 });
    const chunks = client.chunks;
    remote.socket.write('0123456789');
    await until(5_000, 'all slices', () => client.received.length === 5_011);
    // Slices may meet again at a receiver that is busy, but not all of them.
    expect(client.chunks - chunks).toBeGreaterThan(1);
  });

  it('delays ends', async () => {
    const [client, remote] = await dial();
    proxy.shape({ closeDelayMs: 200 });
    const begunAtMs = performance.now();
    remote.socket.end('last');
    await until(5_000, 'the end', () => client.ended);
    expect(performance.now() - begunAtMs).toBeGreaterThan(190);
    expect(client.received.toString()).toBe('last');
  });

  it('refuses while it is down, and leads new connections to another server', async () => {
    const second = createServer((socket) => socket.end('second'));
    await new Promise<void>((resolve) => second.listen(0, '127.0.0.1', resolve));
    try {
      proxy.takeDown();
      const refused = new Peer(connect(Number(new URL(proxy.url).port), '127.0.0.1'));
      await until(5_000, 'the refusal', () => refused.closed);
      proxy.restore();
      proxy.retarget(addressOf(second));
      const led = new Peer(connect(Number(new URL(proxy.url).port), '127.0.0.1'));
      await until(5_000, 'the answer', () => led.ended);
      expect([refused.received.length, led.received.toString()]).toEqual([0, 'second']);
    } finally {
      await within(5_000, 'the close', new Promise((resolve) => second.close(resolve)));
    }
  });
});

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

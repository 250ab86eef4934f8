import { describe, expect, it } from '@jest/globals';
import type { SocketEvents } from '@runwire/websocket-core/testing';
import { ClientEnd } from '../src/network/client-end.js';
import { Connection } from '../src/network/connection.js';
import { ServerEnd } from '../src/network/server-end.js';
import { createPrng } from '../src/prng.js';
import { Scheduler } from '../src/scheduler.js';
import { Trace } from '../src/trace.js';

function setUp() {
  const scheduler = new Scheduler({
    prng: createPrng('scheduler'),
    trace: new Trace({ keepLines: false }),
    uncaught: (_actor, cause) => {
      throw cause;
    },
  });
  const connection = new Connection(
    1,
    {
      scheduler,
      prng: createPrng('connection'),
      conditions: {
        latencyMs: 10,
        jitterMs: 1,
        bytesPerSecond: 1_000_000,
        windowBytes: 65_536,
        segmentBytes: 1_460,
      },
      kernel: scheduler.createActor('kernel'),
      client: scheduler.createActor('page'),
      isOneByOne: true,
      serverSent: () => undefined,
    },
    (wires, sent) => ({
      client: new ClientEnd(wires.client),
      server: new ServerEnd(wires.server, sent),
    }),
  );
  const client: string[] = [];
  connection.client.addEventListener('open', () => client.push('open'));
  connection.client.addEventListener('message', ({ data }) => client.push(String(data)));
  connection.client.addEventListener('close', ({ code }) => client.push(`close ${code}`));
  const server: string[] = [];
  const events: SocketEvents = {
    text: (text) => void server.push(text),
    binary: () => undefined,
    control: () => void server.push('control'),
    flushed: () => undefined,
    closing: ({ code, initiator }) => void server.push(`closing ${code} ${initiator}`),
    closed: (code) => void server.push(`closed ${code}`),
  };
  connection.accept(scheduler.createActor('node'));
  connection.server.start(events);
  const elapse = (ms = 500) => scheduler.run(() => false, scheduler.nowMs + ms);
  const send = (text: string) => connection.server.send([Buffer.from(text)]);
  return { connection, client, server, elapse, send };
}

describe('a simulated connection', () => {
  it('opens, carries text both ways, and answers pings', async () => {
    const { connection, client, server, elapse, send } = setUp();
    send('from the server 😀');
    connection.server.ping();
    await elapse();
    connection.client.send('from the client');
    await elapse();
    expect(client).toEqual(['open', 'from the server 😀']);
    expect(server).toEqual(['control', 'from the client']);
  });

  it("closes with the server's code on both sides", async () => {
    const { connection, client, server, elapse } = setUp();
    await elapse();
    connection.server.close(4409, 'too many');
    await elapse();
    expect(client).toEqual(['open', 'close 4409']);
    expect(server).toEqual(['closed 4409']);
    expect(connection.isOver).toBe(true);
  });

  it("closes with the client's code on both sides", async () => {
    const { connection, client, server, elapse } = setUp();
    await elapse();
    connection.client.close(1000);
    await elapse();
    expect(client).toEqual(['open', 'close 1000']);
    expect(server).toEqual(['closing 1000 peer', 'closed 1000']);
  });

  it('tells both sides of a cut when both are to be told', async () => {
    const { connection, client, server, elapse } = setUp();
    await elapse();
    connection.cut('both', true);
    await elapse();
    expect(client).toEqual(['open', 'close 1006']);
    expect(server).toEqual(['closed 1006']);
  });

  it('leaves a side that is not told with half a connection, until it sends', async () => {
    const { connection, client, server, elapse, send } = setUp();
    await elapse();
    connection.cut('client', true);
    await elapse();
    expect(client).toEqual(['open', 'close 1006']);
    expect(server).toEqual([]);
    send('into the void');
    await elapse();
    expect(server).toEqual(['closed 1006']);
  });

  it('swallows what is sent on a connection that nobody remembers, and says nothing', async () => {
    const { connection, client, server, elapse, send } = setUp();
    await elapse();
    connection.cut('nobody', false);
    send('into the void');
    connection.client.send('into the void');
    await elapse(60_000);
    expect(client).toEqual(['open']);
    expect(server).toEqual([]);
  });

  it('delivers what the kernel of a killed process still had, then ends', async () => {
    const { connection, client, elapse, send } = setUp();
    await elapse();
    send('last words');
    connection.nodeDied('fin');
    await elapse();
    expect(client).toEqual(['open', 'last words', 'close 1006']);
  });

  it('tells the server of a page that is gone', async () => {
    const { connection, server, elapse } = setUp();
    await elapse();
    connection.pageDied('goodbye');
    await elapse();
    expect(server).toEqual(['closing 1001 peer', 'closed 1001']);
  });

  it('tells the page of an attempt that nobody took', async () => {
    const { connection, client, elapse } = setUp();
    connection.refuse();
    await elapse();
    expect(client).toEqual(['close 1006']);
  });
});

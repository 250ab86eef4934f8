import { describe, expect, it } from '@jest/globals';
import type { ClientOptions } from '@runwire/client';
import {
  type BareClient,
  createHarness,
  type Harness,
  type HttpUser,
  NodeSocket,
  pause,
} from '../harness/index.js';

const USERS = 50;
const CYCLES = 1_000;
/** What belongs to a connection or a run, by constructor. */
const PER_CONNECTION = [
  'ClientConnection',
  'ConnectionShell',
  'ConnectionCursor',
  'HandlerRegistration',
  'RequestContext',
  'UserExecutionContext',
  'UserManager',
  'RunEmitter',
];
const TEST_MS = 180_000;

describe('many users at once', () => {
  it(
    '[MG-3, BR-6] 50 users with two sockets each and random cuts see no foreign, missing or repeated event',
    async () => {
      await using harness = await createHarness();
      const users = await Promise.all(Array.from({ length: USERS }, () => harness.register()));
      const seen = await Promise.all(users.map((user, index) => talkUnderChurn(harness, user, index)));
      expect(seen.filter(({ events }) => events >= 20)).toHaveLength(USERS);
      expect(seen.map(({ foreign }) => foreign)).toEqual(users.map(() => 0));
      // The harness audits every recording: contiguous, no duplicate, nobody else's, one end for each run.
    },
    TEST_MS,
  );

  it(
    '[WS-3, WS-5] 1,000 connects and disconnects leave nothing behind',
    async () => {
      await using harness = await createHarness();
      const user = await harness.register();
      const before = await openDescriptors(harness);
      for (let done = 0; done < CYCLES; done += 10) {
        const clients = Array.from({ length: 10 }, () => harness.bare(user));
        await Promise.all(clients.map((client, index) => leave(client, index)));
      }
      await harness.atRest();
      expect((await harness.metrics()).get('runwire_connections{state="ready"}')).toBe(0);
      expect(await openDescriptors(harness)).toBeLessThanOrEqual(before + 2);
      const objects = await harness.server.liveObjects();
      const left = PER_CONNECTION.map((name) => [name, objects.get(name) ?? 0]);
      expect(left).toEqual(PER_CONNECTION.map((name) => [name, 0]));
      // The count can count: what belongs to the process is there.
      expect(objects.get('SocketHost')).toBe(1);
    },
    TEST_MS,
  );
});

/** One user: a client that is cut at random, and a bare second tab. */
async function talkUnderChurn(
  harness: Harness,
  user: HttpUser,
  index: number,
): Promise<{ events: number; foreign: number }> {
  const sockets = new CuttableSockets();
  await using client = harness.client(user, { webSocket: sockets.constructorFor(), start: 'beginning' });
  let foreign = 0;
  let events = 0;
  const threads = new Set<string>();
  const ended = new Promise<void>((resolve) => {
    client.onEvent((event) => {
      events += event.seq - (event.from ?? event.seq) + 1;
      if ('threadId' in event && threads.size > 0 && !threads.has(event.threadId)) foreign += 1;
      if (event.type === 'agent_completed') resolve();
    });
  });
  await client.connect();
  const tab = harness.bare(user);
  await tab.untilControl('caught_up');
  const { threadId } = await client.send({ content: `count to ${200 + index} at 100 per second` });
  threads.add(threadId);
  for (let cut = 0; cut < 3; cut += 1) {
    await pause(100 + Math.random() * 500);
    sockets.cut();
  }
  await ended;
  await tab.until('the end', ({ type }) => type === 'agent_completed');
  return { events, foreign };
}

/** Every way to leave, from at once to politely. */
async function leave(client: BareClient, way: number): Promise<void> {
  client.socket.on('error', () => undefined);
  if (way % 5 === 0) return client.cut();
  if (way % 5 === 1) await client.until('established', ({ type }) => type === 'connection_established');
  if (way % 5 > 1) await client.untilControl('caught_up');
  if (way % 2 === 0) client.cut();
  else client.close();
  await client.untilClosed();
}

/** Counted by the operating system, not by the server. */
async function openDescriptors(harness: Harness): Promise<number> {
  const { readdir } = await import('node:fs/promises');
  await pause(200);
  return (await readdir(`/proc/${harness.server.pid}/fd`)).length;
}

/** WebSockets of a client that a test cuts as a network would. */
class CuttableSockets {
  readonly #open = new Set<{ terminate(): void }>();

  constructorFor(): NonNullable<ClientOptions['webSocket']> {
    const open = this.#open;
    return class extends NodeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        open.add(this);
        this.on('close', () => open.delete(this));
      }
    };
  }

  cut(): void {
    for (const socket of this.#open) socket.terminate();
  }
}

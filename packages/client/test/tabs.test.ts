import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '@runwire/kernel/testing';
import fc from 'fast-check';
import { createTabSocket, type TabChannel, type TabLocks } from '../src/tabs/index.js';
import { started, thinking, thoughts } from './support/drafts.js';
import { FakeServer, rejection } from './support/fake-server.js';
import { seqs, upTo } from './support/harness.js';
import { createTabs } from './support/tabs.js';

function createServer(): FakeServer {
  return new FakeServer(createManualClock());
}

/** A storage that has a cursor. */
function storedAt(seq: number, id = `epoch_1_evt_${seq}`, epoch = 'epoch_1') {
  return { load: () => ({ cursor: { epoch, seq, id }, state: 0 }), save: () => undefined, state: () => 0 };
}

describe('tabs that share a connection', () => {
  it('have one, and each gets every event once, in order, with a cursor of its own', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const a = await h.connect();
    server.append(...thoughts(2));
    const b = await h.connect();
    const c = await h.connect();
    server.append(...thoughts(3));
    await server.clock.settle();
    expect(server.connections).toHaveLength(1);
    expect([a, b, c].map(({ applied }) => seqs(applied))).toEqual([upTo(5), upTo(5, 3), upTo(5, 3)]);
    expect(b.client.cursor).toEqual(a.client.cursor);
    expect(b.states.map(({ kind }) => kind)).toEqual(['connecting', 'replaying', 'live']);
  });

  it('start together with one', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const tabs = [h.open(), h.open(), h.open()];
    await Promise.all(tabs.map((tab) => tab.connect()));
    server.append(...thoughts(3));
    await server.clock.settle();
    expect(server.connections).toHaveLength(1);
    for (const { applied } of tabs) expect(seqs(applied)).toEqual(upTo(3));
  });

  it('bring one up to date that comes with a cursor', async () => {
    const server = createServer();
    await using h = createTabs(server);
    await h.connect();
    server.append(started(), ...thoughts(6));
    await server.clock.settle();
    const late = await h.connect({ storage: storedAt(3) });
    server.append(thinking('live'));
    await server.clock.settle();
    expect(server.connections).toHaveLength(1);
    expect(seqs(late.applied)).toEqual(upTo(8, 4));
    expect(late.client.stats).toMatchObject({ gaps: 0, duplicates: 0, resets: 0 });
  });

  it('leave one to a connection of its own whose cursor they cannot answer for', async () => {
    const server = createServer();
    await using h = createTabs(server);
    server.append(...thoughts(5));
    await h.connect();
    server.append(...thoughts(5));
    await server.clock.settle();
    // Before what the leader has, another event at the same place, ahead of it, another log, everything.
    const odd = [
      { storage: storedAt(4) },
      { storage: storedAt(8, 'epoch_0_evt_8') },
      { storage: storedAt(80) },
      { storage: storedAt(8, 'epoch_0_evt_8', 'epoch_0') },
      { start: 'beginning' as const },
    ];
    for (const [index, options] of odd.entries()) {
      const tab = await h.connect(options);
      expect(server.connections).toHaveLength(index + 2);
      server.append(thinking('live'));
      await server.clock.settle();
      expect(tab.client.cursor?.seq).toBe(server.head);
    }
    const resets = h.tabs.map(({ client }) => client.stats.resets);
    expect(resets).toEqual([0, 0, 1, 1, 1, 0]);
  });

  it('send the commands of all, and each answer goes to who asked', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const [a, b, c] = [await h.connect(), await h.connect(), await h.connect()];
    server.onMessage = (message, connection) => {
      if (message.type !== 'user_message' || message.content !== 'no') return false;
      connection.control(rejection(message.id ?? null, 'THREAD_BUSY'));
      return true;
    };
    const sent = [a, b, c].map(({ client }, n) => client.send({ content: n === 1 ? 'no' : 'yes' }));
    const outcomes = await Promise.allSettled(sent);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(server.last.of('user_message')).toHaveLength(3);
    for (const { problems } of [a, b, c]) expect(problems).toEqual([]);
  });

  it('ack what one of them has applied, never more than was sent', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const leader = await h.connect({ maxBufferedEvents: 1 });
    const follower = await h.connect();
    const events = leader.client.events();
    server.append(...thoughts(4));
    await server.clock.advance(1_000);
    expect(leader.client.cursor?.seq).toBe(1);
    expect(follower.client.cursor?.seq).toBe(4);
    expect(server.last.acked).toBe(4);
    await events.return?.();
    await server.clock.advance(1_000);
    expect(seqs(leader.applied)).toEqual(upTo(4));
    server.append(thinking('e'));
    await server.clock.advance(1_000);
    const acks = server.last.of('ack').map(({ seq }) => seq);
    expect(acks.at(-1)).toBe(5);
    expect(acks).toEqual([...new Set(acks)].sort((x, y) => x - y));
  });

  it('heal a gap of one of them from what the leader has, without troubling the server', async () => {
    const server = createServer();
    await using h = createTabs(server);
    await h.connect({}, { maxHistoryChars: 2_000 });
    const follower = await h.connect();
    const miss = async (count: number): Promise<void> => {
      follower.tab.isDeaf = true;
      server.append(...thoughts(count));
      await server.clock.settle();
      follower.tab.isDeaf = false;
      server.last.control({ type: 'heartbeat', sent: server.head, head: server.head, serverTimeMs: 0 });
      await server.clock.advance(1_000);
    };
    await miss(3);
    expect(seqs(follower.applied)).toEqual(upTo(3));
    expect(follower.client.stats.gaps).toBe(1);
    expect(server.connections).toHaveLength(1);
    // More than the leader keeps: it lets go of the follower, which finds out by the silence.
    await miss(100);
    await server.clock.advance(50_000);
    expect(seqs(follower.applied)).toEqual(upTo(103));
    expect(server.connections).toHaveLength(2);
    expect(server.connections.flatMap((connection) => connection.of('resync'))).toEqual([]);
  });

  it('start over together when the stream does', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const tabs = [await h.connect(), await h.connect()];
    server.append(...thoughts(2));
    await server.clock.settle();
    server.restartLog('epoch_2');
    server.last.control({ type: 'reset', reason: 'epoch', stream: server.stream() });
    await server.clock.advance(10_000);
    server.append(thinking('a'));
    await server.clock.settle();
    for (const { client } of tabs) {
      expect(client.cursor).toEqual({ epoch: 'epoch_2', seq: 1, id: 'epoch_2_evt_1' });
      expect(client.stats.resets).toBe(1);
    }
  });

  it('keep a tab that lags at the size of the history, and let it come back by itself', async () => {
    const server = createServer();
    await using h = createTabs(server);
    await h.connect({}, { maxHistoryChars: 2_000 });
    const slow = await h.connect();
    server.append(thinking('a'));
    await server.clock.advance(1_000);
    slow.tab.freeze();
    server.append(...thoughts(100));
    await server.clock.advance(1_000);
    slow.tab.thaw();
    await server.clock.advance(10_000);
    expect(slow.states).toContainEqual(expect.objectContaining({ kind: 'waiting', closeCode: 4508 }));
    expect(seqs(slow.applied)).toEqual(upTo(101));
    expect(server.open).toHaveLength(2);
  });

  it('move make-before-break from a draining server, and those that follow see nothing of it', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const leader = await h.connect();
    const follower = await h.connect();
    server.last.control({ type: 'server_draining', reconnectAfterMs: 1_000, deadlineAtMs: 0 });
    server.append(thinking('a'));
    await server.clock.advance(1_000);
    server.append(thinking('b'));
    await server.clock.advance(1_000);
    expect(server.connections).toHaveLength(2);
    expect(server.open).toHaveLength(1);
    expect(follower.states.map(({ kind }) => kind)).toEqual(['connecting', 'replaying', 'live']);
    for (const { applied } of [leader, follower]) expect(seqs(applied)).toEqual([1, 2]);
    await follower.client.send({ content: 'x' });
    expect(server.last.of('user_message')).toHaveLength(1);
  });

  it('wait as long as the server says when it is overloaded', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const tabs = [await h.connect(), await h.connect()];
    server.last.close(4503, '{"retryAfterMs":30000}');
    await server.clock.advance(29_000);
    for (const { client } of tabs) expect(client.state).toMatchObject({ kind: 'waiting', closeCode: 4503 });
    await server.clock.advance(16_000);
    for (const { client } of tabs) expect(client.state.kind).toBe('live');
  });

  it('never share between users, by name or by what the server says', async () => {
    const server = createServer();
    await using h = createTabs(server);
    await h.connect();
    await h.connect({}, { userId: 'user_2' });
    expect(server.open).toHaveLength(2);
    // Their pages say user_3, their tokens say user_1: nobody may follow such a leader.
    await h.connect({}, { userId: 'user_3' });
    await h.connect({}, { userId: 'user_3' });
    expect(server.open).toHaveLength(4);
    await h.connect({}, { name: 'another application' });
    expect(server.open).toHaveLength(5);
    await h.connect({ url: 'https://example.test/other/ws' });
    expect(server.open).toHaveLength(6);
  });

  it('need locks and channels, without which each has its own connection', () => {
    const server = createServer();
    const { locks } = createTabs(server).open().tab;
    expect(createTabSocket({ userId: 'user_1', webSocket: server.webSocket })).toBe(server.webSocket);
    expect(createTabSocket({ userId: 'user_1', webSocket: server.webSocket, locks })).not.toBe(
      server.webSocket,
    );
    expect(() => createTabSocket({ userId: '', webSocket: server.webSocket })).toThrow('userId');
    // What a browser has fits.
    const fit = (a: LockManager, b: BroadcastChannel): [TabLocks, TabChannel] => [a, b];
    expect(fit).toHaveLength(2);
  });
});

describe('the leader', () => {
  it('hands over when its client is closed, and nothing is lost', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const leader = await h.connect();
    const [b, c] = [await h.connect(), await h.connect()];
    server.append(...thoughts(2));
    await server.clock.settle();
    await leader.client.close();
    server.append(...thoughts(2));
    await server.clock.advance(1_000);
    server.append(thinking('live'));
    await server.clock.settle();
    expect(server.open).toHaveLength(1);
    for (const { applied } of [b, c]) expect(seqs(applied)).toEqual(upTo(5));
  });

  it('is followed by another within a second when its tab dies', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const leader = await h.connect();
    const [b, c] = [await h.connect(), await h.connect()];
    server.append(...thoughts(2));
    await server.clock.settle();
    const sent = b.client.send({ content: 'lost with the leader' });
    await leader.kill();
    server.append(...thoughts(2));
    await server.clock.advance(1_000);
    expect(await sent).toMatchObject({ runId: 'run_1' });
    expect(server.open).toHaveLength(1);
    for (const { client, applied } of [b, c]) {
      expect(seqs(applied)).toEqual(upTo(4));
      expect(client.state.kind).toBe('live');
    }
  });

  it('tells the others at once when its connection drops', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const tabs = [await h.connect(), await h.connect()];
    server.last.close(1006);
    await server.clock.settle();
    for (const { client } of tabs) expect(client.state).toMatchObject({ kind: 'waiting', closeCode: 1006 });
    server.append(thinking('a'));
    await server.clock.advance(1_000);
    for (const { applied } of tabs) expect(seqs(applied)).toEqual([1]);
    expect(server.open).toHaveLength(1);
  });

  it('says when it begins to lead, and who had asked in vain asks again', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const leader = await h.connect();
    const next = await h.connect();
    leader.tab.freeze();
    next.tab.isDeaf = true;
    const joining = h.open();
    const connected = joining.client.connect();
    await server.clock.advance(500);
    next.tab.isDeaf = false;
    await leader.kill();
    await server.clock.advance(1_000);
    await connected;
    expect(server.open).toHaveLength(1);
  });

  it('is left when it is frozen: the others find out as with any dead connection', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const leader = await h.connect();
    const follower = await h.connect();
    leader.tab.freeze();
    follower.page.give('visible');
    await server.clock.advance(10_000);
    server.append(thinking('a'));
    await server.clock.advance(1_000);
    expect(follower.client.state.kind).toBe('live');
    expect(seqs(follower.applied)).toEqual([1]);
    expect(server.open).toHaveLength(2);
    leader.tab.thaw();
  });

  it('gives up its connection when a tab that asked heard nothing, and neither did the leader', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const leader = await h.connect();
    const follower = await h.connect();
    server.last.dead = true;
    follower.page.give('visible');
    await server.clock.advance(3_500);
    expect(server.connections).toHaveLength(2);
    server.append(thinking('a'));
    await server.clock.advance(1_000);
    for (const { applied } of [leader, follower]) expect(seqs(applied)).toEqual([1]);
  });

  it('that stops for good leaves its place to another', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const leader = await h.connect();
    const follower = await h.connect();
    server.last.close(4403);
    server.append(thinking('a'));
    await server.clock.advance(5_000);
    expect(leader.client.state).toMatchObject({ kind: 'stopped', code: 4403 });
    expect(follower.client.state.kind).toBe('live');
    expect(seqs(follower.applied)).toEqual([1]);
  });

  it('is waited for while it connects', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const leader = await h.connect();
    const follower = await h.connect();
    server.last.close(1012);
    server.append(thinking('a'));
    await server.clock.advance(11_000);
    expect(server.connections).toHaveLength(2);
    for (const { applied } of [leader, follower]) expect(seqs(applied)).toEqual([1]);
  });

  it('gathers the tabs again that had to connect by themselves', async () => {
    const server = createServer();
    await using h = createTabs(server);
    const tabs = [await h.connect(), await h.connect(), await h.connect()];
    server.door = () => 'refuse';
    server.last.close(1006);
    await server.clock.advance(90_000);
    server.door = undefined;
    await server.clock.advance(30_000);
    server.append(...thoughts(2));
    await server.clock.advance(1_000);
    for (let n = 0; n < 3; n += 1) {
      for (const connection of server.open) {
        connection.control({ type: 'heartbeat', sent: 2, head: 2, serverTimeMs: server.clock.nowMs() });
      }
      await server.clock.advance(20_000);
    }
    expect(server.open).toHaveLength(1);
    server.append(thinking('c'));
    await server.clock.settle();
    for (const { applied, client } of tabs) {
      expect(seqs(applied)).toEqual(upTo(3));
      expect(client.stats.gaps).toBe(0);
    }
  });
});

describe('tabs over random faults', () => {
  const fault = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), n: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constantFrom('open', 'kill', 'close', 'freeze', 'thaw', 'send'), n: fc.nat(5) }),
    fc.record({ kind: fc.constant('end' as const), n: fc.constantFrom(1001, 1006, 1012, 4500, 4508) }),
    fc.record({ kind: fc.constant('cut' as const), n: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('wait' as const), n: fc.nat(8_000) }),
    fc.record({ kind: fc.constant('drain' as const), n: fc.nat(2_000) }),
  );

  it('[BR-4] [BR-6] get everything once and in order, whoever leads and whoever is gone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { maxLength: 25 }), async (faults) => {
        const server = createServer();
        await using h = createTabs(server);
        const open = (): void => {
          h.open()
            .client.connect()
            .catch(() => undefined);
        };
        const sent: Promise<unknown>[] = [];
        const living = () =>
          h.tabs.filter(({ tab, client }) => !tab.isDead && client.state.kind !== 'stopped');
        open();
        open();
        for (const { kind, n } of faults) {
          const tabs = living();
          const tab = tabs[n % tabs.length];
          if (kind === 'append') server.append(...thoughts(n));
          else if (kind === 'wait') await server.clock.advance(n);
          else if (kind === 'cut') server.cutAfter = n;
          else if (kind === 'end') server.open.at(-1)?.close(n);
          else if (kind === 'drain') {
            const message = { type: 'server_draining', reconnectAfterMs: n, deadlineAtMs: 0 } as const;
            server.open.at(-1)?.control(message);
          } else if (kind === 'open' && tabs.length < 5) open();
          else if (tab === undefined) continue;
          else if (kind === 'freeze') tab.tab.freeze();
          else if (kind === 'thaw') tab.tab.thaw();
          else if (kind === 'send') sent.push(tab.client.send({ content: 'x' }).catch(() => undefined));
          else if (kind === 'kill' && tabs.length > 1) await tab.kill();
          else if (kind === 'close' && tabs.length > 1) await tab.client.close();
        }
        server.cutAfter = undefined;
        for (const { tab } of h.tabs) tab.thaw();
        await server.clock.advance(120_000);
        server.append(thinking('last'));
        await server.clock.advance(120_000);
        for (const { applied, client } of living()) {
          const [first] = seqs(applied);
          expect(seqs(applied)).toEqual(upTo(server.head, first));
          expect(client.state.kind).toBe('live');
          expect(client.stats.resets).toBe(0);
        }
        expect(living().length).toBeGreaterThan(0);
        expect(new Set(server.executed).size).toBe(server.executed.length);
        await Promise.all(sent);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});

import { describe, expect, it } from '@jest/globals';
import { createRequestContext } from '@runwire/user-context';
import type { ClientConnection } from '@runwire/websocket-core';
import { createFixture, liveCounts, NOTHING } from './support/fixture.js';

describe('managerFor', () => {
  it('[MG-1] is synchronous: the same instance for a connected user, another for another user', async () => {
    const fixture = createFixture();
    const [one, two] = [
      await fixture.connect(fixture.ids.userId()),
      await fixture.connect(fixture.ids.userId()),
    ];
    const manager = fixture.pool.managerFor(one.connection.context);
    expect(manager.userId).toBe(one.connection.userId);
    const request = one.connection.context.child({ requestId: fixture.ids.requestId() });
    expect(fixture.pool.managerFor(request)).toBe(manager);
    expect(fixture.pool.managerFor(two.connection.context)).not.toBe(manager);
    expect(fixture.pool.managerFor.length).toBe(1);
  });

  it('[MG-1] refuses a foreign connection and counts it, and says false for one that is not there', async () => {
    const fixture = createFixture();
    const [one, two] = [
      await fixture.connect(fixture.ids.userId()),
      await fixture.connect(fixture.ids.userId()),
    ];
    const manager = fixture.pool.managerFor(one.connection.context);
    expect(() => manager.disconnect(two.connection.id, 1000)).toThrow(
      expect.objectContaining({ code: 'POOL_NOT_OWNER' }),
    );
    expect(two.connection.isOpen).toBe(true);
    expect(manager.disconnect(fixture.ids.connectionId(), 1000)).toBe(false);
    expect(manager.disconnect(one.connection.id, 4403)).toBe(true);
    expect(one.peer.closedWith?.code).toBe(4403);
    expect(fixture.pool.stats().foreignAccess).toBe(1);
  });

  it('[MG-1] reaches only its own user with notify, disconnectAll, connections and health', async () => {
    const fixture = createFixture();
    const userId = fixture.ids.userId();
    const own = [await fixture.connect(userId), await fixture.connect(userId)];
    const other = await fixture.connect(fixture.ids.userId());
    const manager = fixture.pool.managerFor(own[0]?.connection.context as ClientConnection['context']);
    own[0]?.connection.reportInFlight({ unackedBytes: 5, largestFrameBytes: 5, sentSeq: 1, headSeq: 1 });
    expect(manager.connections().map((info) => info.id)).toEqual(own.map(({ connection }) => connection.id));
    expect(manager.health()).toEqual({ connections: 2, responsive: 2, unackedBytes: 5 });
    expect(manager.notify({ type: 'auth_expiring', expiresAtMs: 1 })).toBe(2);
    expect(own.map(({ peer }) => peer.messages.at(-1)?.type)).toEqual(['auth_expiring', 'auth_expiring']);
    expect(other.peer.messages.at(-1)?.type).toBe('connection_established');
    expect(manager.disconnectAll(4403)).toBe(2);
    expect(other.connection.isOpen).toBe(true);
    expect(manager.health()).toEqual({ connections: 0, responsive: 0, unackedBytes: 0 });
  });

  it('goes with the last connection; for a user who is not connected it is kept by nobody', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.connect(fixture.ids.userId());
    const manager = fixture.pool.managerFor(connection.context);
    expect(fixture.pool.stats().managers).toBe(1);
    peer.end();
    await fixture.clock.settle();
    expect(fixture.pool.stats().managers).toBe(0);
    const userId = fixture.ids.userId();
    const absent = createRequestContext({ userId, requestId: fixture.ids.requestId() });
    expect(fixture.pool.managerFor(absent).connections()).toEqual([]);
    expect(fixture.pool.stats().managers).toBe(0);
    expect(manager.connections()).toEqual([]);
  });

  it('refuses what is no context', () => {
    const { pool } = createFixture();
    for (const wrong of [undefined, null, {}, { userId: '' }, 'usr_1']) {
      expect(() => pool.managerFor(wrong as never)).toThrow(
        expect.objectContaining({ code: 'POOL_INVALID_CONTEXT' }),
      );
    }
  });
});

describe('connections', () => {
  it('are listed from admission to the begin of their close, in order', async () => {
    const fixture = createFixture();
    const userId = fixture.ids.userId();
    const [one, two, three] = [
      await fixture.connect(userId),
      await fixture.connect(userId),
      await fixture.connect(userId),
    ].map(({ connection }) => connection);
    expect(fixture.pool.connectionsOf(userId)).toEqual([one, two, three]);
    two?.close(1000);
    expect(fixture.pool.connectionsOf(userId)).toEqual([one, three]);
    expect(fixture.pool.connectionsOf(fixture.ids.userId())).toEqual([]);
  });

  it('[WS-8] a user stays listed while one connection lives', async () => {
    const fixture = createFixture();
    const userId = fixture.ids.userId();
    const [one, two] = [await fixture.connect(userId), await fixture.connect(userId)];
    one.peer.vanish();
    expect(fixture.pool.connectionsOf(userId)).toEqual([two.connection]);
  });

  it('[WS-8] a user is listed without a break from a black hole to a stream that lives, and gone 30 s after both', async () => {
    const fixture = createFixture();
    const userId = fixture.ids.userId();
    const lost = await fixture.connect(userId);
    const { connection } = await fixture.connect(userId, { transport: 'stream' });
    const manager = fixture.pool.managerFor(connection.context);
    lost.peer.blackHole();
    const text = '{"type":"ping"}';
    for (let second = 0; second < 60; second += 1) {
      await fixture.clock.advance(1_000);
      await fixture.server.receive({ userId, connectionId: connection.id, text });
      expect(fixture.pool.connectionsOf(userId)).toContain(connection);
      expect(fixture.pool.managerFor(connection.context)).toBe(manager);
    }
    expect(fixture.pool.connectionsOf(userId)).toEqual([connection]);
    await fixture.clock.advance(29_999);
    expect(fixture.pool.stats().users).toBe(1);
    await fixture.clock.advance(1);
    await fixture.clock.settle();
    expect(fixture.pool.stats()).toMatchObject({ users: 0, connections: 0, reservations: 0 });
  });

  it('[MG-4] of two pools know nothing of each other', async () => {
    const [one, two] = [createFixture(), createFixture()];
    const userId = one.ids.userId();
    await one.connect(userId);
    expect([one, two].map(({ pool }) => pool.connectionsOf(userId).length)).toEqual([1, 0]);
    expect(two.pool.stats()).toEqual(createFixture().pool.stats());
  });

  it('[WS-3] come and go 1,000 times and leave every count at zero', async () => {
    const fixture = createFixture();
    for (let n = 0; n < 1_000; n += 1) {
      const { connection, peer } = await fixture.connect(fixture.ids.userId(), { from: `10.0.0.${n % 7}` });
      fixture.pool.managerFor(connection.context);
      if (n % 2 === 0) peer.vanish();
      else peer.end();
      await fixture.clock.settle();
    }
    await fixture.clock.advance(2_000);
    expect(liveCounts(fixture)).toEqual(NOTHING);
  });
});

describe('health monitoring', () => {
  it('[CP-2] runs from start to close, on one timer', async () => {
    const fixture = createFixture();
    expect([fixture.pool.stats().monitoring, fixture.clock.pendingTimers]).toEqual([false, 0]);
    fixture.pool.start();
    fixture.pool.start();
    expect([fixture.pool.stats().monitoring, fixture.clock.pendingTimers]).toEqual([true, 1]);
    await fixture.clock.advance(95_000);
    expect(fixture.clock.pendingTimers).toBe(1);
    await fixture.pool.close();
    fixture.pool.start();
    expect([fixture.pool.stats().monitoring, fixture.clock.pendingTimers]).toEqual([false, 0]);
  });

  it('[CP-2] removes a connection that is over and never said so, with its place, and counts it', async () => {
    const fixture = createFixture({ healthIntervalMs: 10_000 });
    fixture.pool.start();
    const { connection } = await fixture.connect(fixture.ids.userId());
    let isOpen = true;
    const dead = Object.create(connection, {
      id: { value: fixture.ids.connectionId() },
      userId: { value: fixture.ids.userId() },
      isOpen: { get: () => isOpen },
      onClose: { value: () => () => {} },
    }) as ClientConnection;
    const place = fixture.pool.reserve({ remoteAddress: '10.0.0.5' });
    if (place.kind === 'reserved') place.admit(dead, {});
    isOpen = false;
    expect(fixture.pool.connectionsOf(dead.userId)).toEqual([]);
    expect(fixture.pool.stats()).toMatchObject({ connections: 2, reservations: 2, reaped: 0 });
    await fixture.clock.advance(9_000);
    expect(fixture.pool.stats()).toMatchObject({ connections: 2, reaped: 0 });
    await fixture.clock.advance(1_000);
    expect(fixture.pool.stats()).toMatchObject({ connections: 1, users: 1, reservations: 1, reaped: 1 });
  });

  it('[CP-2] calls a user responsive while there is a sign of life', async () => {
    const fixture = createFixture({ healthIntervalMs: 10_000 });
    const userId = fixture.ids.userId();
    const [one, two] = [await fixture.connect(userId), await fixture.connect(userId)];
    await fixture.clock.advance(10_001);
    two.peer.sendControl();
    expect(fixture.pool.managerFor(one.connection.context).health()).toMatchObject({
      connections: 2,
      responsive: 1,
    });
  });
});

describe('drain', () => {
  it('closes the rest 1012 as soon as it is closed, before its time is over', async () => {
    const fixture = createFixture();
    const { peer } = await fixture.connect(fixture.ids.userId());
    const drained = fixture.pool.drain({ timeoutMs: 60_000 });
    await fixture.clock.settle();
    const closed = fixture.pool.close();
    await fixture.clock.advance(0);
    await Promise.all([closed, drained]);
    expect(peer.closedWith?.code).toBe(1012);
  });

  it('asks each connection to leave, spread over the window, refuses new ones, and closes the rest 1012', async () => {
    const fixture = createFixture({ maxDrainedPerTurn: 2 });
    const connected = [];
    for (let n = 0; n < 5; n += 1) connected.push(await fixture.connect(fixture.ids.userId()));
    const deadlineAtMs = fixture.clock.nowMs() + 10_000;
    const drained = fixture.pool.drain({ timeoutMs: 10_000 });
    await fixture.clock.settle();
    expect(connected.map(({ peer }) => peer.messages.at(-1))).toEqual(
      [0, 1_000, 2_000, 3_000, 4_000].map((reconnectAfterMs) => ({
        type: 'server_draining',
        reconnectAfterMs,
        deadlineAtMs,
      })),
    );
    expect(fixture.request(fixture.ids.userId())).toMatchObject({ kind: 'refused', answer: { status: 429 } });
    connected[0]?.peer.end();
    await fixture.clock.advance(9_999);
    expect(connected.map(({ connection }) => connection.isOpen)).toEqual([false, true, true, true, true]);
    await fixture.clock.advance(1);
    await drained;
    expect(connected.slice(1).map(({ peer }) => peer.closedWith?.code)).toEqual([1012, 1012, 1012, 1012]);
    await fixture.clock.advance(2_000);
    expect(liveCounts(fixture)).toEqual(NOTHING);
  });

  it('ends as soon as the last connection has left', async () => {
    const fixture = createFixture();
    const { peer } = await fixture.connect(fixture.ids.userId());
    const drained = fixture.pool.drain({ timeoutMs: 60_000 });
    expect(fixture.pool.drain()).toBe(drained);
    await fixture.clock.settle();
    peer.end();
    await fixture.clock.settle();
    await drained;
    await fixture.pool.closed;
    await fixture.clock.advance(1_000);
    expect(liveCounts(fixture)).toEqual(NOTHING);
  });

  it('asks a connection that was still authenticating as soon as it is admitted, and closes it after the end', async () => {
    const fixture = createFixture();
    await fixture.connect(fixture.ids.userId());
    const late = fixture.server.accept({ remoteAddress: '10.0.0.8' });
    const tooLate = fixture.server.accept({ remoteAddress: '10.0.0.8' });
    const drained = fixture.pool.drain({ timeoutMs: 1_000 });
    late.send({ type: 'authenticate', token: fixture.ids.userId() });
    await fixture.clock.settle();
    expect(late.messages.map((message) => message.type)).toEqual([
      'connection_established',
      'server_draining',
    ]);
    await fixture.clock.advance(1_000);
    await drained;
    tooLate.send({ type: 'authenticate', token: fixture.ids.userId() });
    await fixture.clock.settle();
    expect([late.closedWith?.code, tooLate.closedWith?.code]).toEqual([1012, 1012]);
  });
});

describe('close', () => {
  it('closes every connection 1001, and again does nothing', async () => {
    const fixture = createFixture({ maxDrainedPerTurn: 1 });
    const connected = [
      await fixture.connect(fixture.ids.userId()),
      await fixture.connect(fixture.ids.userId()),
    ];
    const closing = fixture.pool.close();
    expect(fixture.pool.close()).toBe(closing);
    await fixture.clock.settle();
    await closing;
    await fixture.pool.closed;
    expect(connected.map(({ peer }) => peer.closedWith?.code)).toEqual([1001, 1001]);
    await fixture.clock.advance(1_000);
    expect(liveCounts(fixture)).toEqual(NOTHING);
  });
});

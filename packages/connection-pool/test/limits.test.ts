import { describe, expect, it } from '@jest/globals';
import type { UserId } from '@runwire/id-generation';
import { createConnectionPool, DEFAULT_POOL_OPTIONS } from '../src/index.js';
import { createFixture, type Fixture, liveCounts, NOTHING, statusOf } from './support/fixture.js';

const many = async (fixture: Fixture, count: number, userId: UserId) => {
  const connected = [];
  for (let n = 0; n < count; n += 1) connected.push(await fixture.connect(userId));
  return connected;
};

describe('per user', () => {
  it('[CP-1] the 10th connection closes none, the 11th closes the oldest with 4409', async () => {
    const fixture = createFixture();
    const userId = fixture.ids.userId();
    const connected = await many(fixture, 10, userId);
    expect(fixture.pool.stats()).toMatchObject({ connections: 10, displaced: 0 });
    const newest = await fixture.connect(userId);
    expect(connected.map(({ peer }) => peer.closedWith?.code)).toEqual([4409, ...Array(9).fill(undefined)]);
    expect(fixture.pool.connectionsOf(userId)).toEqual([
      ...connected.slice(1).map(({ connection }) => connection),
      newest.connection,
    ]);
    expect(fixture.pool.stats()).toMatchObject({ connections: 10, displaced: 1 });
  });

  it("[CP-1] one user's connections displace none of another's", async () => {
    const fixture = createFixture({ maxConnectionsPerUser: 1 });
    const [one, two] = [
      await fixture.connect(fixture.ids.userId()),
      await fixture.connect(fixture.ids.userId()),
    ];
    expect([one.connection.isOpen, two.connection.isOpen]).toEqual([true, true]);
  });
});

describe('per address', () => {
  it('[CP-1] the 51st connection is refused with 429, another address is not, and a place that is left is free', async () => {
    const fixture = createFixture();
    const connected = [];
    for (let n = 0; n < 50; n += 1) connected.push(await fixture.connect(fixture.ids.userId()));
    await fixture.clock.advance(1_000);
    const refused = fixture.request(fixture.ids.userId());
    expect(refused).toMatchObject({
      kind: 'refused',
      answer: { status: 429, headers: { 'retry-after': '5' } },
    });
    expect(statusOf(fixture.request(fixture.ids.userId(), { from: '10.0.0.2' }))).toBe(101);
    connected[0]?.peer.end();
    await fixture.clock.settle();
    expect(statusOf(fixture.request(fixture.ids.userId()))).toBe(101);
    expect(fixture.pool.stats().refused).toEqual({ address: 1, total: 0, rate: 0, closed: 0 });
  });

  it('[WS-9] [CP-1] the 21st upgrade in a second is refused with the time to wait, then taken', async () => {
    const fixture = createFixture();
    const from = '10.0.0.9';
    const ask = () => statusOf(fixture.request(fixture.ids.userId(), { from }));
    expect(Array.from({ length: 10 }, ask)).toEqual(Array(10).fill(101));
    await fixture.clock.advance(400);
    expect(Array.from({ length: 11 }, ask)).toEqual([...Array(10).fill(101), 429]);
    expect(fixture.pool.reserve({ remoteAddress: from })).toMatchObject({
      kind: 'refused',
      retryAfterMs: 600,
    });
    await fixture.clock.advance(600);
    expect(ask()).toBe(101);
    expect(fixture.pool.stats().refused).toMatchObject({ rate: 2 });
  });

  it('is forgotten a second after its last upgrade', async () => {
    const fixture = createFixture();
    for (let n = 0; n < 1_000; n += 1) {
      const place = fixture.pool.reserve({ remoteAddress: `10.1.${n >> 8}.${n & 255}` });
      if (place.kind === 'reserved') place.release();
    }
    expect(fixture.pool.stats().addresses).toBe(1_000);
    await fixture.clock.advance(1_000);
    expect(liveCounts(fixture)).toEqual(NOTHING);
  });
});

describe('in total', () => {
  it('[CP-1] the connection above the limit is refused, whoever asks, also while others authenticate', async () => {
    const fixture = createFixture({ maxConnections: 3 });
    const statuses = [1, 2, 3, 4].map((n) =>
      statusOf(fixture.request(fixture.ids.userId(), { from: `10.0.0.${n}` })),
    );
    expect(statuses).toEqual([101, 101, 101, 429]);
    expect(fixture.pool.stats()).toMatchObject({ reservations: 3, refused: { total: 1 } });
    expect(DEFAULT_POOL_OPTIONS.maxConnections).toBe(10_000);
  });

  it('a place is given back once, however often it is released', () => {
    const { pool } = createFixture({ maxConnections: 2 });
    const places = [pool.reserve({ remoteAddress: 'a' }), pool.reserve({ remoteAddress: 'a' })];
    for (const place of places.slice(0, 1)) {
      if (place.kind !== 'reserved') throw new Error('refused');
      place.release();
      place.release();
    }
    expect(pool.stats().reservations).toBe(1);
  });
});

describe('replaces', () => {
  it('an own connection: it does not count, and is closed 1000 when the replacement completes', async () => {
    const fixture = createFixture({ maxConnectionsPerUser: 2 });
    const userId = fixture.ids.userId();
    const [first, second] = await many(fixture, 2, userId);
    const next = await fixture.connect(userId, { replaces: String(first?.connection.id) });
    expect([first, second, next].map((each) => each?.connection.isOpen)).toEqual([true, true, true]);
    fixture.pool.completeReplacement(next.connection);
    fixture.pool.completeReplacement(next.connection);
    expect(first?.peer.closedWith?.code).toBe(1000);
    expect(fixture.pool.connectionsOf(userId)).toEqual([second?.connection, next.connection]);
    expect(fixture.pool.stats().displaced).toBe(0);
  });

  it("another user's connection: ignored and counted; the connection stays", async () => {
    const fixture = createFixture();
    const victim = await fixture.connect(fixture.ids.userId());
    const attacker = await fixture.connect(fixture.ids.userId(), { replaces: victim.connection.id });
    fixture.pool.completeReplacement(attacker.connection);
    expect(victim.connection.isOpen).toBe(true);
    expect(fixture.pool.stats().foreignAccess).toBe(1);
  });

  it('nothing that exists: ignored', async () => {
    const fixture = createFixture();
    const { connection } = await fixture.connect(fixture.ids.userId(), { replaces: 'con_nothing' });
    fixture.pool.completeReplacement(connection);
    expect(connection.isOpen).toBe(true);
  });

  it('and is lost before it completes: the old connection counts again', async () => {
    const fixture = createFixture({ maxConnectionsPerUser: 1 });
    const userId = fixture.ids.userId();
    const old = await fixture.connect(userId);
    const lost = await fixture.connect(userId, { replaces: old.connection.id });
    lost.peer.vanish();
    expect(old.connection.isOpen).toBe(true);
    await fixture.connect(userId);
    expect(old.peer.closedWith?.code).toBe(4409);
  });

  it('again and again, none of them complete: never more than one uncounted for each counted', async () => {
    const fixture = createFixture({ maxConnectionsPerUser: 2 });
    const userId = fixture.ids.userId();
    let last = await fixture.connect(userId);
    for (let n = 0; n < 20; n += 1) {
      last = await fixture.connect(userId, { replaces: last.connection.id });
      expect(fixture.pool.connectionsOf(userId).length).toBeLessThanOrEqual(4);
    }
    for (let n = 0; n < 20; n += 1) {
      const [oldest] = fixture.pool.connectionsOf(userId);
      await fixture.connect(userId, { replaces: String(oldest?.id) });
      expect(fixture.pool.connectionsOf(userId).length).toBeLessThanOrEqual(4);
    }
  });
});

describe('options', () => {
  it('are refused by name when they are no positive numbers', () => {
    const { clock, logger } = createFixture();
    for (const name of Object.keys(DEFAULT_POOL_OPTIONS)) {
      for (const value of [0, -1, Number.NaN]) {
        expect(() => createConnectionPool({ clock, logger }, { [name]: value })).toThrow(
          expect.objectContaining({ code: 'POOL_INVALID_OPTION', details: { name } }),
        );
      }
    }
  });
});

import { describe, expect, it } from '@jest/globals';
import { createIdGenerator, type UserId } from '@runwire/id-generation';
import { createManualClock } from '@runwire/kernel/testing';
import {
  accountByEmail,
  accountById,
  insertAccount,
  insertAuthSession,
  isAuthSessionLive,
  ROTATION_GRACE_MS,
  type RotationOutcome,
  revokeAuthSession,
  rotateRefreshToken,
} from '../../src/persistence/account-store.js';
import { openTestDatabase } from '../support/database.js';

const LIFETIME_MS = 60_000;

async function signedIn() {
  const database = await openTestDatabase();
  const clock = createManualClock();
  const userId = createIdGenerator({ clock }).userId();
  await database.addUser(userId);
  const { sessions } = database;
  const expiresAtMs = clock.nowMs() + LIFETIME_MS;
  const opened = { sessionId: 'session', userId, refreshHash: 'token 1', nowMs: clock.nowMs(), expiresAtMs };
  await sessions.with((session) => insertAuthSession(session, opened));
  return {
    ...database,
    clock,
    userId,
    rotate: (presentedHash: string, nextHash: string) =>
      sessions.with((session) =>
        rotateRefreshToken(session, { presentedHash, nextHash, nowMs: clock.nowMs() }),
      ),
    revoke: () => sessions.with((session) => revokeAuthSession(session, 'session', clock.nowMs())),
    isLive: (who: UserId = userId) => sessions.with((session) => isAuthSessionLive(session, who, 'session')),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

type SignedIn = Awaited<ReturnType<typeof signedIn>>;

describe('the rotation of refresh tokens', () => {
  const table: readonly {
    readonly name: string;
    readonly before: (fixture: SignedIn) => Promise<unknown>;
    readonly kind: RotationOutcome['kind'];
    readonly liveAfter: boolean;
  }[] = [
    {
      name: 'a fresh token is rotated',
      before: async () => undefined,
      kind: 'rotated',
      liveAfter: true,
    },
    {
      name: 'a second use at the end of the grace time is superseded',
      before: async ({ rotate, clock }) => {
        await rotate('token 1', 'token 2');
        await clock.advance(ROTATION_GRACE_MS);
      },
      kind: 'superseded',
      liveAfter: true,
    },
    {
      name: 'a second use behind the grace time is reuse, and revokes the session',
      before: async ({ rotate, clock }) => {
        await rotate('token 1', 'token 2');
        await clock.advance(ROTATION_GRACE_MS + 1);
      },
      kind: 'reused',
      liveAfter: false,
    },
    {
      name: 'reuse is found two rotations later too',
      before: async ({ rotate, clock }) => {
        await rotate('token 1', 'token 2');
        await clock.advance(ROTATION_GRACE_MS + 1);
        await rotate('token 2', 'token 3');
      },
      kind: 'reused',
      liveAfter: false,
    },
    {
      name: 'a token of a revoked session is unknown',
      before: ({ revoke }) => revoke(),
      kind: 'unknown',
      liveAfter: false,
    },
    {
      name: 'a token is unknown from the instant its session expires',
      before: ({ clock }) => clock.advance(LIFETIME_MS),
      kind: 'unknown',
      liveAfter: true,
    },
    {
      name: 'a token is good up to the millisecond before its session expires',
      before: ({ clock }) => clock.advance(LIFETIME_MS - 1),
      kind: 'rotated',
      liveAfter: true,
    },
  ];
  for (const { name, before, kind, liveAfter } of table) {
    it(`[AU-3] ${name}`, async () => {
      await using fixture = await signedIn();
      await before(fixture);
      await expect(fixture.rotate('token 1', 'token next')).resolves.toMatchObject({ kind });
      await expect(fixture.isLive()).resolves.toBe(liveAfter);
    });
  }

  it('[AU-3] a token nobody was given is unknown', async () => {
    await using fixture = await signedIn();
    await expect(fixture.rotate('guessed', 'token 2')).resolves.toEqual({ kind: 'unknown' });
  });

  it('[AU-3] of ten at once one is rotated and nine are superseded', async () => {
    await using fixture = await signedIn();
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, index) => fixture.rotate('token 1', `next ${index}`)),
    );
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual([
      'rotated',
      ...Array.from({ length: 9 }, () => 'superseded'),
    ]);
  });

  it('[AU-3] after a reuse was found, the newest token of the session is worth nothing', async () => {
    await using fixture = await signedIn();
    await fixture.rotate('token 1', 'token 2');
    await fixture.clock.advance(ROTATION_GRACE_MS + 1);
    await expect(fixture.rotate('token 1', 'token x')).resolves.toMatchObject({ kind: 'reused' });
    await expect(fixture.rotate('token 2', 'token 3')).resolves.toEqual({ kind: 'unknown' });
  });
});

describe('sign-in sessions', () => {
  it('are live for their own user alone, until revoked, which happens once', async () => {
    await using fixture = await signedIn();
    const stranger = createIdGenerator({ clock: fixture.clock }).userId();
    await expect(fixture.isLive(stranger)).resolves.toBe(false);
    await expect(fixture.revoke()).resolves.toBe(true);
    await expect(fixture.revoke()).resolves.toBe(false);
    await expect(fixture.isLive()).resolves.toBe(false);
  });
});

describe('accounts', () => {
  it('are found by e-mail address and id, and an address is given once', async () => {
    await using database = await openTestDatabase();
    await using session = database.sessions.open();
    const ids = createIdGenerator({ clock: createManualClock() });
    const account = { id: ids.userId(), email: 'a@example.org', name: 'A' };
    const secret = { passwordHash: 'hash', nowMs: 1 };
    await expect(insertAccount(session, { ...account, ...secret })).resolves.toEqual(account);
    await expect(
      insertAccount(session, { ...account, id: ids.userId(), ...secret }),
    ).resolves.toBeUndefined();
    await expect(accountByEmail(session, 'a@example.org')).resolves.toEqual({
      ...account,
      passwordHash: 'hash',
    });
    await expect(accountById(session, account.id)).resolves.toEqual(account);
    await expect(accountById(session, ids.userId())).resolves.toBeUndefined();
  });
});

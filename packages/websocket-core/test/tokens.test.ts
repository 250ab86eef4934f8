import { describe, expect, it } from '@jest/globals';
import { CodedError, createDeferred } from '@runwire/kernel';
import type { AuthenticationAttempt, Principal } from '../src/index.js';
import { warningAtMs } from '../src/token-watch.js';
import { createFixture, errorCodes, HOUR_MS, liveCounts, ofType } from './support/fixture.js';

const MINUTE_MS = 60_000;

/** Keeps a peer alive while hours pass. */
async function live(fixture: ReturnType<typeof createFixture>, peer: { sendControl(): void }, ms: number) {
  for (let left = ms; left > 0; left -= 10_000) {
    peer.sendControl();
    await fixture.clock.advance(Math.min(left, 10_000));
  }
}

async function withLifetime(lifetimeMs: number) {
  const fixture = createFixture();
  const userId = fixture.ids.userId();
  const token = fixture.token(userId, lifetimeMs);
  const peer = fixture.server.accept({ headers: { authorization: `Bearer ${token}` } });
  await fixture.clock.settle();
  const [connection] = fixture.opened;
  if (connection === undefined) throw new Error('not opened');
  return {
    fixture,
    peer,
    connection,
    userId,
    refresh: (next: string) => ({ type: 'refresh_token', id: 'r', token: next }),
  };
}

describe('auth_expiring', () => {
  it('comes at max(60 s, 20 % of the lifetime) before the expiry', () => {
    expect(warningAtMs({ issuedAtMs: 0, expiresAtMs: HOUR_MS })).toBe(HOUR_MS * 0.8);
    expect(warningAtMs({ issuedAtMs: 0, expiresAtMs: 5 * MINUTE_MS })).toBe(4 * MINUTE_MS);
    expect(warningAtMs({ issuedAtMs: 0, expiresAtMs: 100_000 })).toBe(40_000);
  });

  it('[AU-3] is sent once, at that instant', async () => {
    const { fixture, peer } = await withLifetime(10 * MINUTE_MS);
    await live(fixture, peer, 8 * MINUTE_MS - 1);
    expect(ofType(peer.messages, 'auth_expiring')).toEqual([]);
    await live(fixture, peer, 1);
    const expiresAtMs = fixture.clock.nowMs() + 2 * MINUTE_MS;
    expect(ofType(peer.messages, 'auth_expiring')).toEqual([{ type: 'auth_expiring', expiresAtMs }]);
    await live(fixture, peer, MINUTE_MS);
    expect(ofType(peer.messages, 'auth_expiring')).toHaveLength(1);
  });

  it('follows connection_established at once when the token is nearly over', async () => {
    const { peer } = await withLifetime(30_000);
    expect(peer.messages.map((message) => message.type)).toEqual(['connection_established', 'auth_expiring']);
  });
});

describe('a token that expires', () => {
  it('[AU-3] without refresh ends delivery with 4401, 25 s after, not before', async () => {
    const { connection, fixture, peer } = await withLifetime(2 * MINUTE_MS);
    await live(fixture, peer, 2 * MINUTE_MS + 24_999);
    expect(connection.isOpen).toBe(true);
    await live(fixture, peer, 1);
    expect(peer.closedWith?.code).toBe(4401);
    expect(connection.isOpen).toBe(false);
    const frames = peer.frames.length;
    connection.sendFrames([Buffer.from('late')]);
    expect(peer.frames).toHaveLength(frames);
    await fixture.clock.settle();
    expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
  });

  it('is followed when the wall clock jumps', async () => {
    const { connection, fixture, peer } = await withLifetime(HOUR_MS);
    fixture.clock.jumpWallClock(2 * HOUR_MS);
    await live(fixture, peer, 20_000);
    expect(connection.isOpen).toBe(false);
    expect(peer.closedWith?.code).toBe(4401);
  });
});

describe('refresh_token', () => {
  it('[AU-3] of the same user moves the expiry and the session, and loses no event', async () => {
    const { connection, fixture, peer, refresh, userId } = await withLifetime(2 * MINUTE_MS);
    const sessionBefore = connection.sessionId;
    await live(fixture, peer, MINUTE_MS);
    connection.sendFrames([Buffer.from('{"n":1}')]);
    const token = fixture.token(userId, HOUR_MS);
    const expiresAtMs = fixture.clock.nowMs() + HOUR_MS;
    peer.send(refresh(token));
    connection.sendFrames([Buffer.from('{"n":2}')]);
    await fixture.clock.settle();
    expect(peer.frames.slice(-3)).toEqual([
      '{"n":1}',
      '{"n":2}',
      JSON.stringify({ ref: 'r', expiresAtMs, type: 'auth_refreshed' }),
    ]);
    expect(connection.sessionId).not.toBe(sessionBefore);
    expect(connection.context.sessionId).toBe(connection.sessionId);
    await live(fixture, peer, 30 * MINUTE_MS);
    expect(connection.isOpen).toBe(true);
  });

  it('[AU-2] of another user closes 4403', async () => {
    const { fixture, peer, refresh } = await withLifetime(HOUR_MS);
    peer.send(refresh(fixture.token()));
    await fixture.clock.settle();
    expect(peer.closedWith?.code).toBe(4403);
  });

  it('[AU-2] that is invalid is command_rejected TOKEN_INVALID, and the old token counts on', async () => {
    const { connection, fixture, peer, refresh } = await withLifetime(2 * MINUTE_MS);
    peer.send(refresh('wrong'));
    await fixture.clock.settle();
    expect(ofType(peer.messages, 'command_rejected')).toMatchObject([
      { ref: 'r', error: { code: 'TOKEN_INVALID' } },
    ]);
    await live(fixture, peer, 2 * MINUTE_MS);
    expect(connection.isOpen).toBe(true);
    await live(fixture, peer, 25_000);
    expect(connection.isOpen).toBe(false);
  });

  const answers: readonly [string, unknown, string | number][] = [
    ['TOKEN_EXPIRED', new CodedError('TOKEN_EXPIRED', 'x'), 'TOKEN_EXPIRED'],
    ['a broken authenticator', new Error('secret'), 'INTERNAL'],
    ['FORBIDDEN', new CodedError('FORBIDDEN', 'x'), 4403],
  ];
  for (const [name, failure, answer] of answers) {
    it(`[AU-2] refused with ${name} is answered ${answer}`, async () => {
      let first = true;
      const fixture = createFixture({
        authenticate: async () => {
          if (!first) throw failure;
          first = false;
          return fixture.principal();
        },
      });
      const { peer } = await fixture.ready();
      peer.send({ type: 'refresh_token', id: 'r', token: 't' });
      await fixture.clock.settle();
      expect(typeof answer === 'number' ? peer.closedWith?.code : errorCodes(peer)[0]).toBe(answer);
      expect(peer.frames.join()).not.toContain('secret');
    });
  }

  it('that hangs is given up after five seconds; one at a time; the close aborts it', async () => {
    const verdicts: { signal: AbortSignal; resolve(principal: Principal): void }[] = [];
    const fixture = createFixture({
      authenticate: (_token, { signal }) => {
        const verdict = createDeferred<Principal>();
        verdicts.push({ signal, resolve: (principal) => verdict.resolve(principal) });
        if (verdicts.length === 1) verdict.resolve(fixture.principal());
        return verdict.promise;
      },
    });
    const { connection, peer } = await fixture.ready();
    const ask = (id: string) => peer.send({ type: 'refresh_token', id, token: 't' });
    ask('a');
    ask('b');
    expect(errorCodes(peer)).toEqual(['COMMAND_PENDING']);
    await fixture.clock.advance(5_000);
    expect(errorCodes(peer)).toEqual(['COMMAND_PENDING', 'NOT_READY']);
    expect(verdicts[1]?.signal.aborted).toBe(true);
    verdicts[1]?.resolve(fixture.principal());
    ask('c');
    connection.close(1000);
    expect(verdicts[2]?.signal.aborted).toBe(true);
    verdicts[2]?.resolve(fixture.principal());
    await fixture.clock.settle();
    expect(ofType(peer.messages, 'auth_refreshed')).toEqual([]);
    expect(liveCounts(fixture).every((count) => count === 0)).toBe(true);
  });

  it('is limited by itself, without using up the commands', async () => {
    const fixture = createFixture();
    const userId = fixture.ids.userId();
    const { connection, peer } = await fixture.ready(userId);
    connection.handleCommand('stop_agent', async () => ({ accepted: { runId: 'r', status: 'completed' } }));
    for (let n = 0; n < 61; n += 1) {
      peer.send({ type: 'refresh_token', id: `r${n}`, token: fixture.token(userId) });
      await fixture.clock.settle();
    }
    peer.send({ type: 'stop_agent', runId: 'r' });
    await fixture.clock.settle();
    expect(ofType(peer.messages, 'auth_refreshed')).toHaveLength(60);
    expect(errorCodes(peer)).toEqual(['RATE_LIMITED']);
    expect(ofType(peer.messages, 'command_accepted')).toHaveLength(1);
  });
});

describe('the signal of a verification', () => {
  it('has aborted when it is asked for behind the close', async () => {
    const attempts: AuthenticationAttempt[] = [];
    const fixture = createFixture({
      authenticate: (_token, attempt) => {
        attempts.push(attempt);
        return new Promise(() => undefined);
      },
    });
    const peer = fixture.server.accept({ headers: { authorization: 'Bearer t' } });
    await fixture.clock.settle();
    peer.vanish();
    expect(attempts[0]?.signal.aborted).toBe(true);
  });
});

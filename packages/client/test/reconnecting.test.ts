import { describe, expect, it } from '@jest/globals';
import { CLOSE_CODES } from '@runwire/protocol';
import { thinking, thoughts } from './support/drafts.js';
import { createHarness, seqs, upTo } from './support/harness.js';

describe('close codes', () => {
  const STOPS: Record<number, boolean> = {
    1000: false,
    1002: false,
    1003: false,
    1007: false,
    1009: false,
    4400: false,
    4403: false,
    4409: true,
  };
  const REPORTED = [1002, 1003, 1007, 1009, 4400];

  for (const code of [...Object.values(CLOSE_CODES).map((row) => row.code), 4999]) {
    const resumable = STOPS[code];
    if (resumable === undefined) {
      it(`resumes after ${code} without a loss`, async () => {
        await using h = createHarness();
        await h.connect();
        h.server.append(thinking('a'));
        h.server.last.close(code);
        expect(h.client.state).toMatchObject({ kind: 'waiting', closeCode: code });
        h.server.append(thinking('b'));
        await h.clock.advance(11_000);
        expect(h.client.state.kind).toBe('live');
        expect(seqs(h.applied)).toEqual([1, 2]);
      });
      continue;
    }
    it(`stops after ${code}${REPORTED.includes(code) ? ' and reports it' : ''}`, async () => {
      await using h = createHarness();
      await h.connect();
      h.server.last.close(code, 'why');
      expect(h.client.state).toEqual({ kind: 'stopped', code, reason: 'why', resumable });
      await h.clock.advance(60_000);
      expect(h.server.connections).toHaveLength(1);
      expect(h.problems.map((problem) => problem.code)).toEqual(REPORTED.includes(code) ? ['STOPPED'] : []);
    });
  }

  it('waits at least as long as the reason of a 4503 says, also when the page comes back', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.last.close(4503, '{"retryAfterMs":30000}');
    h.page.give('visible');
    await h.clock.advance(29_900);
    expect(h.server.connections).toHaveLength(1);
    await h.clock.advance(5_100);
    expect(h.client.state.kind).toBe('live');
  });

  it('connects again after 4409 when asked', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.last.close(4409);
    await expect(h.client.send({ content: 'x' })).rejects.toMatchObject({ code: 'CLIENT_STOPPED' });
    h.server.append(thinking('a'));
    await h.connect();
    expect(seqs(h.applied)).toEqual([1]);
  });
});

describe('tokens', () => {
  it('[AU-3] refreshes once after 4401, and stops the second time', async () => {
    await using h = createHarness();
    h.server.door = (connection) => (connection.token === 'token-2' ? undefined : 4401);
    const connected = h.client.connect();
    await h.clock.advance(1_000);
    await connected;
    expect(h.tokens).toEqual(['connect', 'refresh']);
    h.server.door = () => 4401;
    h.server.last.close(4401);
    await h.clock.advance(60_000);
    expect(h.tokens).toEqual(['connect', 'refresh', 'refresh']);
    expect(h.client.state).toMatchObject({ kind: 'stopped', code: 4401, resumable: true });
  });

  it('[AU-3] takes a new token in the middle of the stream without losing an event', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.append(thinking('a'));
    h.server.last.control({ type: 'auth_expiring', expiresAtMs: h.clock.nowMs() + 60_000 });
    h.server.last.control({ type: 'auth_expiring', expiresAtMs: h.clock.nowMs() + 60_000 });
    h.server.append(thinking('b'));
    await h.clock.settle();
    h.server.append(thinking('c'));
    expect(h.server.last.of('refresh_token').map(({ token }) => token)).toEqual(['token-2']);
    expect(seqs(h.applied)).toEqual([1, 2, 3]);
    expect(h.server.connections).toHaveLength(1);
  });

  it('resumes after an expiry without refresh', async () => {
    let fails = false;
    await using h = createHarness({
      getToken: async () => {
        if (fails) throw new Error('no network');
        return 'token';
      },
    });
    await h.connect();
    fails = true;
    h.server.last.control({ type: 'auth_expiring', expiresAtMs: h.clock.nowMs() + 60_000 });
    await h.clock.settle();
    expect(h.problems.map(({ code }) => code)).toEqual(['TOKEN_FAILED']);
    fails = false;
    h.server.last.close(4401);
    h.server.append(thinking('a'));
    await h.clock.advance(1_000);
    expect(seqs(h.applied)).toEqual([1]);
  });

  it('tries again when there is no token, and stops when there will be none', async () => {
    let failure: Error = new Error('no network');
    await using h = createHarness({ getToken: () => Promise.reject(failure) });
    const connected = h.client.connect();
    await h.clock.advance(3_000);
    expect(h.client.state).toMatchObject({ kind: 'waiting', closeCode: 1006 });
    failure = Object.assign(new Error('signed out'), { code: 'UNAUTHENTICATED' });
    const refused = expect(connected).rejects.toMatchObject({ code: 'CLIENT_STOPPED' });
    await h.clock.advance(20_000);
    await refused;
    expect(h.client.state).toMatchObject({ kind: 'stopped', code: 4401, resumable: true });
  });

  it('gives up a getToken that never settles', async () => {
    await using h = createHarness({ getToken: () => new Promise(() => undefined) });
    h.client.connect().catch(() => undefined);
    await h.clock.advance(30_000);
    expect(h.client.state.kind).toBe('waiting');
  });
});

describe('liveness', () => {
  it('finds a dead connection within 50 s', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.last.dead = true;
    await h.clock.advance(44_000);
    expect(h.client.state.kind).toBe('live');
    await h.clock.advance(6_000);
    expect(h.server.connections).toHaveLength(2);
  });

  it('keeps a quiet connection that answers pings', async () => {
    await using h = createHarness();
    await h.connect();
    await h.clock.advance(600_000);
    expect(h.server.connections).toHaveLength(1);
  });

  it('finds a dead connection within 3 s of coming online or being shown', async () => {
    for (const signal of ['online', 'visible'] as const) {
      await using h = createHarness();
      await h.connect();
      h.server.last.dead = true;
      h.page.give(signal);
      await h.clock.advance(3_000);
      expect(h.server.connections).toHaveLength(2);
    }
  });

  it('gives up an attempt that is not established in time', async () => {
    await using h = createHarness();
    h.server.door = () => 'hang';
    h.client.connect().catch(() => undefined);
    await h.clock.advance(10_000);
    expect(h.client.state.kind).toBe('waiting');
  });
});

describe('the page', () => {
  it('does not try while offline, and at once when online', async () => {
    await using h = createHarness();
    await h.connect();
    h.page.give('offline');
    h.server.last.close(1006);
    await h.clock.advance(60_000);
    expect(h.client.state.kind).toBe('offline');
    expect(h.server.connections).toHaveLength(1);
    h.page.give('online');
    await h.clock.settle();
    expect(h.client.state.kind).toBe('live');
  });

  it('goes offline while waiting', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.last.close(1012);
    h.page.give('offline');
    expect(h.client.state).toEqual({ kind: 'offline' });
  });

  it('tries at once when it is shown while waiting', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.last.close(1012);
    h.page.give('visible');
    await h.clock.settle();
    expect(h.client.state.kind).toBe('live');
  });
});

describe('refused upgrades', () => {
  const answers = (status: number, headers: Record<string, string> = {}) => {
    const asked: string[] = [];
    const fetcher = async (url: string | URL | Request): Promise<Response> => {
      asked.push(new Request(url).url);
      return Response.json({ error: { code: 'FORBIDDEN', message: 'not from here' } }, { status, headers });
    };
    return { asked, fetcher };
  };

  it('asks once after two in a row, and stops with what it is told', async () => {
    for (const status of [400, 403, 404]) {
      const { asked, fetcher } = answers(status);
      await using h = createHarness({ fetch: fetcher });
      h.server.door = () => 'refuse';
      const connected = expect(h.client.connect()).rejects.toMatchObject({ code: 'CLIENT_STOPPED' });
      await h.clock.advance(5_000);
      await connected;
      expect(asked).toEqual(['https://example.test/ws']);
      expect(h.server.connections).toHaveLength(2);
      expect(h.client.state).toMatchObject({ kind: 'stopped', code: status, reason: 'not from here' });
      expect(h.problems).toEqual([{ code: 'FORBIDDEN', message: 'not from here' }]);
    }
  });

  it('waits as long as Retry-After says', async () => {
    for (const status of [429, 503]) {
      const { asked, fetcher } = answers(status, { 'retry-after': '60' });
      await using h = createHarness({ fetch: fetcher });
      h.server.door = () => 'refuse';
      h.client.connect().catch(() => undefined);
      await h.clock.advance(60_000);
      expect(asked).toHaveLength(1);
      expect(h.server.connections).toHaveLength(2);
      h.server.door = undefined;
      await h.clock.advance(10_000);
      expect(h.client.state.kind).toBe('live');
    }
  });

  it('goes on as before when the answer tells nothing', async () => {
    const unreachable = async (): Promise<Response> => {
      throw new TypeError('fetch failed');
    };
    await using h = createHarness({ fetch: unreachable });
    h.server.door = () => 'refuse';
    h.client.connect().catch(() => undefined);
    await h.clock.advance(60_000);
    h.server.door = undefined;
    await h.clock.advance(20_000);
    expect(h.client.state.kind).toBe('live');
  });
});

describe('a draining server', () => {
  const drain = { type: 'server_draining', reconnectAfterMs: 1_000, deadlineAtMs: 0 } as const;

  it('is left only after the next connection has caught up', async () => {
    await using h = createHarness();
    await h.connect();
    const old = h.server.last;
    h.server.append(...thoughts(2));
    old.control(drain);
    await h.clock.advance(999);
    expect(h.server.connections).toHaveLength(1);
    h.server.append(thinking('c'));
    await h.clock.advance(1);
    expect(h.server.last.url.searchParams.get('replaces')).toBe(old.id);
    expect(old.open).toBe(false);
    h.server.append(thinking('d'));
    expect(h.client.state).toEqual({ kind: 'live', connectionId: 'con_2' });
    expect(seqs(h.applied)).toEqual(upTo(4));
    expect(h.states.map(({ kind }) => kind)).not.toContain('waiting');
  });

  it('is kept when the next connection is refused, and another is tried', async () => {
    await using h = createHarness();
    await h.connect();
    const old = h.server.last;
    h.server.door = () => 4503;
    old.control(drain);
    await h.clock.advance(2_000);
    expect(old.open).toBe(true);
    h.server.append(thinking('a'));
    expect(seqs(h.applied)).toEqual([1]);
    h.server.door = undefined;
    await h.clock.advance(40_000);
    expect(old.open).toBe(false);
    expect(h.client.state.kind).toBe('live');
  });

  it('hands over when it closes before the next connection is established', async () => {
    await using h = createHarness();
    await h.connect();
    const old = h.server.last;
    h.server.door = () => 'hang';
    old.control(drain);
    await h.clock.advance(1_500);
    h.server.door = undefined;
    old.close(1012);
    expect(h.client.state.kind).toBe('connecting');
    h.server.append(thinking('a'));
    await h.clock.advance(30_000);
    expect(seqs(h.applied)).toEqual([1]);
  });

  it('is left without a break in the state, whichever of the two is heard first', async () => {
    await using h = createHarness();
    await h.connect();
    const old = h.server.last;
    old.control(drain);
    h.server.onEstablished = () => old.close(1000);
    await h.clock.advance(1_000);
    h.server.append(thinking('a'));
    expect(h.states.map(({ kind }) => kind)).toEqual(['connecting', 'replaying', 'live', 'live']);
    expect(seqs(h.applied)).toEqual([1]);
  });

  it('is resumed as after 1012 when it breaks down', async () => {
    await using h = createHarness();
    await h.connect();
    h.server.last.control(drain);
    h.server.last.close(1006);
    expect(h.client.state).toMatchObject({ kind: 'waiting', closeCode: 1012 });
  });
});

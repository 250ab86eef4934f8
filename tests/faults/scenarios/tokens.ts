// Tokens that run out, are refreshed, revoked, or somebody else's, in the midst of a stream.
import type { ClientOptions, RunwireClient } from '@runwire/client';
import { startRun } from '../../harness/http-run.js';
import { callHttp, createHarness, type Harness, type HttpUser, until } from '../../harness/index.js';
import type { Row } from '../rows.js';
import { startTalker } from '../talkers.js';

const ANSWER = 'count to 800 at 100 per second';
/** A server warns a minute before the expiry: with this, two seconds after the token was issued. */
const REFRESHED = { RUNWIRE_ACCESS_TOKEN_LIFETIME_MS: '62000' };
/** Tokens that are dead in the midst of an answer. */
const SHORT = { RUNWIRE_ACCESS_TOKEN_LIFETIME_MS: '3000', RUNWIRE_TOKEN_GRACE_MS: '500' };
const FIVE_MINUTES_MS = 300_000;

/** A user's tokens, renewed when the client asks. */
class Session {
  readonly #harness: Harness;
  #accessToken: string;
  #refreshToken: string;
  renewals = 0;

  constructor(harness: Harness, user: HttpUser) {
    this.#harness = harness;
    this.#accessToken = user.accessToken;
    this.#refreshToken = user.refreshToken;
  }

  readonly getToken = async (reason: 'connect' | 'refresh'): Promise<string> => {
    if (reason === 'refresh') await this.renew();
    return this.#accessToken;
  };

  async renew(): Promise<void> {
    const { status, body } = await callHttp(this.#harness.server.url, {
      method: 'POST',
      path: '/auth/refresh',
      body: { refreshToken: this.#refreshToken },
    });
    if (status !== 200) throw Object.assign(new Error('signed out'), { code: 'UNAUTHENTICATED' });
    this.renewals += 1;
    this.#accessToken = body.accessToken;
    this.#refreshToken = body.refreshToken;
  }
}

/** The token is renewed on the live connection, whatever the client's clock says: nothing is lost, nothing is cut. */
export async function renewedMidStream(row: Row, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await using harness = await createHarness({ env: REFRESHED });
    for (const skewMs of [0, FIVE_MINUTES_MS, -FIVE_MINUTES_MS]) {
      const user = await harness.register();
      const session = new Session(harness, user);
      const talker = await startTalker(
        harness,
        { getToken: session.getToken, clock: clockWith(skewMs) },
        user,
      );
      await talker.talk('count to 400 at 100 per second');
      if (session.renewals === 0) throw new Error(`the token was not renewed with a skew of ${skewMs} ms`);
      const { connections } = talker.client.stats;
      if (connections !== 1) throw new Error(`${connections} connections with a skew of ${skewMs} ms`);
      row.round();
    }
    row.audited(await harness.audit());
  }
}

/** The token runs out without renewal: delivery ends 4401; with a new one everything that was missed comes. */
export async function expiresMidStream(row: Row, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await using harness = await createHarness({ env: SHORT });
    const user = await harness.register();
    const session = new Session(harness, user);
    const talker = await startTalker(harness, { getToken: async () => session.getToken('connect') }, user);
    const { runId } = await talker.client.send({ content: ANSWER });
    await untilStopped(talker.client, 4401);
    await session.renew();
    const backAtMs = performance.now();
    await talker.client.connect();
    row.round(performance.now() - backAtMs);
    // What is left of the answer is longer than the next token lives: it is renewed in time from here on.
    const reader = await startTalker(harness, { getToken: session.getToken }, user);
    await reader.end(runId);
    row.audited(await harness.audit());
  }
}

/** A replay that takes longer than its token lives goes on where it was. */
export async function expiresMidReplay(row: Row, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await using harness = await createHarness({ env: SHORT, network: {} });
    const user = await harness.register();
    const runId = await startRun(user, 'write 1 MB');
    const session = new Session(harness, user);
    harness.proxy.shape({ bytesPerSecond: 150_000 });
    const talker = await startTalker(harness, { getToken: session.getToken }, user);
    await talker.end(runId);
    row.round();
    row.audited(await harness.audit());
  }
}

/** The session is signed out: nothing more is handed over; a new sign-in goes on from the cursor. */
export async function revokedMidStream(row: Row, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await using harness = await createHarness();
    const user = await harness.register();
    const login = await callHttp(harness.server.url, {
      method: 'POST',
      path: '/auth/login',
      body: { email: user.email, password: user.password },
    });
    const first = await startTalker(harness, { getToken: async () => login.body.accessToken }, user);
    const { runId } = await first.client.send({ content: 'count to 300 at 100 per second' });
    await first.next(({ type }) => type === 'agent_delta');
    const revokedAtMs = performance.now();
    await callHttp(harness.server.url, {
      method: 'POST',
      path: '/auth/logout',
      token: login.body.accessToken,
    });
    await untilStopped(first.client, 4403);
    row.round(performance.now() - revokedAtMs);
    const handed = first.client.stats.applied;
    const again = await startTalker(harness, {}, user);
    await again.end(runId);
    if (first.client.stats.applied !== handed) throw new Error('events came behind the sign-out');
    row.audited(await harness.audit());
  }
}

/** A client comes with no token, with another user's, or with one that was never valid. */
export async function foreignMidStream(row: Row, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await using harness = await createHarness({ env: REFRESHED });
    const [user, other] = [await harness.register(), await harness.register()];
    const neighbour = await startTalker(harness, {}, other);
    const answer = neighbour.talk(ANSWER);
    const getToken: ClientOptions['getToken'] = async (reason) =>
      (reason === 'connect' ? user : other).accessToken;
    const talker = await startTalker(harness, { getToken }, user);
    await talker.client.send({ content: ANSWER });
    await untilStopped(talker.client, 4403);
    for (const token of ['', 'nonsense']) {
      const { code } = await harness.bare(undefined, { token, tokenIn: 'header' }).untilClosed();
      if (code !== 4401 && code !== 4408) throw new Error(`"${token}" was answered ${code}`);
    }
    row.round();
    await answer;
    row.audited(await harness.audit());
  }
}

async function untilStopped(client: RunwireClient, code: number): Promise<void> {
  await until(30_000, `the client to stop with ${code}`, () => client.state.kind === 'stopped');
  const { state } = client;
  if (state.kind === 'stopped' && state.code !== code) throw new Error(`stopped with ${state.code}`);
}

/** A machine whose wall clock is wrong. */
function clockWith(skewMs: number): NonNullable<ClientOptions['clock']> {
  return {
    nowMs: () => Date.now() + skewMs,
    monotonicMs: () => performance.now(),
    setTimer: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
    nextTurn: (run) => void setImmediate(run),
  };
}

import { describe, expect, it } from '@jest/globals';
import { fragmentsOf, HostilePeer, upgradeText } from '../harness/hostile-peer.js';
import { startRun } from '../harness/http-run.js';
import {
  type BareConnection,
  type BareMessage,
  callHttp,
  createHarness,
  type Harness,
  type HttpUser,
  pause,
  until,
} from '../harness/index.js';

const RECONNECTS = 100;
const ROUNDS = 50;
const MOMENTS = 20;
const CHAT = '{"type":"chat","content":"test"}';
/** Lines of the server's log at `error` or above. */
const ERROR_LINE = /"level":[5-9]\d/;

describe('connections that come and go', () => {
  it("[QA-1, WS-3, MG-3] handlers pile up per connection, and the first user's serve everybody: after 100 reconnects of two users each message starts one run, of its own user", async () => {
    await using harness = await createHarness();
    const users = [await harness.register(), await harness.register()];
    const ofOne = await handlersOfOneTab(harness);
    for (let round = 0; round < RECONNECTS; round += 1) {
      const tabs = await Promise.all(users.map((user) => caughtUp(harness.bare(user))));
      for (const tab of tabs) tab.cut();
    }
    const talkers = await Promise.all(
      users.map(async (user) => ({ user, tab: await caughtUp(harness.bare(user, { resume: { seq: 0 } })) })),
    );
    await until(5_000, 'the cut connections to be gone', async () => {
      return (await harness.metrics()).get('runwire_connections{state="ready"}') === users.length;
    });
    expect(await handlers(harness)).toBe(ofOne * users.length);
    for (const { tab } of talkers) tab.send({ type: 'chat', content: 'what is 2 + 3 * 4?' });
    for (const { user, tab } of talkers) {
      await tab.until('the end', ({ type }) => type === 'agent_completed');
      const answers = tab.control.filter(({ type }) => type === 'command_accepted');
      const starts = tab.events.filter(({ type }) => type === 'agent_started');
      expect(starts.map(({ runId }) => runId)).toEqual(answers.map(({ result }) => result.runId));
      expect(starts).toHaveLength(1);
      const { body } = await user.call('GET', '/api/threads');
      expect(body.items.map(({ id }: { id: string }) => id)).toEqual([starts[0]?.threadId]);
    }
  });

  it('[QA-1, MG-1, BR-6] events go to a manager that has no sockets, beside ten others: all devices of a user get everything, whatever they connect by, and a sign-out ends its own', async () => {
    await using harness = await createHarness();
    const phone = await harness.register();
    const laptop = await harness.signIn(phone);
    const passing = await caughtUp(harness.bareSse(phone));
    const token = laptop.accessToken;
    const phones = [harness.bare(phone), harness.bareSse(phone)];
    const laptops = [harness.bare(phone, { token }), harness.bareSse(phone, { token })];
    for (const device of [...phones, ...laptops]) await caughtUp(device);
    passing.cut();
    const runId = await startRun(laptop, 'count to 400 at 200 per second');
    await Promise.all([...phones, ...laptops].map((device) => middleOf(device, runId)));
    await phone.call('POST', '/auth/logout');
    for (const device of phones) expect((await device.untilClosed(2_000)).code).toBe(4403);
    const seen = laptops.map((device) => device.until('the end', isEndOf(runId)));
    const whole = Array.from({ length: 400 }, (_, index) => index + 1).join(' ');
    expect((await Promise.all(seen)).map((end) => end['data'].result)).toEqual([whole, whole]);
    // However many devices, sign-outs and transports: whoever asked for a manager asked one and the same.
    expect((await harness.server.liveObjects()).get('UserManager')).toBe(1);
  });

  it('[QA-1, WS-1, WS-4, WS-5] "no handler", and "call accept first": what is sent before the accept is answered once, and who vanishes in the midst of it harms nobody', async () => {
    await using harness = await createHarness();
    const [authorized, hello] = greetingOf(await harness.register());
    // Cut at each of these bytes: inside the request, right behind it, inside the message, behind it.
    const cuts = [1, 20, authorized.length - 1, authorized.length, authorized.length + 3, hello.length];
    for (const bytes of cuts) {
      using peer = new HostilePeer(harness.url);
      peer.write(hello.subarray(0, bytes));
      await pause(20);
    }
    const user = await harness.register();
    using hasty = new HostilePeer(harness.url);
    hasty.write(greetingOf(user)[1]);
    await hasty.until('command_accepted');
    await hasty.until('agent_completed');
    expect(hasty.text).not.toMatch(/"type":"(error|command_rejected)"/);
    expect(hasty.text.split('"command_accepted"')).toHaveLength(2);
    // At each moment of the handshake: who is asked for a run that is not there must have a handler to say so.
    const moments = Array.from({ length: MOMENTS }, (_, delayMs) => delayMs);
    const answers = await Promise.all(moments.map((delayMs) => answerToEarly(harness, user, delayMs)));
    expect(answers).toEqual(moments.map(() => 'RUN_NOT_FOUND'));
    expect(harness.server.output()).not.toMatch(ERROR_LINE);
  });

  it('[QA-1, TH-2] a database session leaks with each request: requests that fail, are refused or are given up leave none open', async () => {
    await using harness = await createHarness();
    const user = await harness.register();
    const asked = `GET /api/threads HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${user.accessToken}\r\n\r\n`;
    for (let round = 0; round < ROUNDS; round += 1) {
      {
        using impatient = new HostilePeer(harness.url);
        impatient.write(asked);
        await pause(round % 5);
      }
      const [missing, invalid, refused] = await Promise.all([
        user.call('POST', '/api/threads/thr_missing/messages', { content: 'hello' }),
        user.call('POST', '/api/threads', { title: 17 }),
        callHttp(harness.url, { method: 'GET', path: '/api/threads', token: 'none' }),
      ]);
      expect([missing.status, invalid.status, refused.status]).toEqual([404, 422, 401]);
    }
    // The one that counts them.
    await until(5_000, 'one open session', async () => {
      return (await harness.metrics()).get('runwire_database_sessions') === 1;
    });
  });

  it('[QA-1, AU-1, AU-2, AU-5] a demo switch and a legacy endpoint let everybody in: without a token no door opens, and none gives a token away', async () => {
    const switches = { DEMO_MODE: 'true', E2E_TESTING: '1', TESTING: '1', NODE_ENV: 'test' };
    await using harness = await createHarness({ env: switches });
    const user = await harness.register();
    const token = user.accessToken;
    const encoded = Buffer.from(token).toString('base64url');
    for (const path of LEGACY_PATHS) expect([path, await knock(harness, path, {})]).toEqual([path, 404]);
    for (const headers of BYPASS_HEADERS) {
      using peer = new HostilePeer(harness.url);
      peer.upgrade(headers);
      peer.write(fragmentsOf(CHAT));
      await peer.untilOver();
      expect([headers, peer.text]).toEqual([headers, expect.not.stringContaining('connection_established')]);
    }
    const stream = await harness.bareSse(undefined, { headers: { 'x-test-user': user.id } }).answered();
    expect(stream.status).toBe(401);
    using byProtocol = new HostilePeer(harness.url);
    byProtocol.upgrade({ 'Sec-WebSocket-Protocol': `runwire.v1, bearer.${encoded}` });
    await byProtocol.until('connection_established');
    expect(byProtocol.answer).toMatch(/^sec-websocket-protocol: runwire\.v1$/im);
    for (const secret of [token, encoded]) expect(byProtocol.text).not.toContain(secret);
    expect((await user.call('GET', '/api/threads')).body.items).toEqual([]);
    expect(harness.server.output()).not.toContain(token);
  });
});

/** A request for a WebSocket; and the same with a message in it, sent before anybody has accepted anything. */
function greetingOf(user: HttpUser): readonly [request: Buffer, whole: Buffer] {
  const request = Buffer.from(upgradeText({ Authorization: `Bearer ${user.accessToken}` }));
  return [request, Buffer.concat([request, fragmentsOf(CHAT)])];
}

/** The code that a command is answered with whose last byte comes so long after the request for its socket. */
async function answerToEarly(harness: Harness, user: HttpUser, delayMs: number): Promise<string | undefined> {
  using peer = new HostilePeer(harness.url);
  const command = fragmentsOf('{"type":"stop_agent","id":"early","runId":"run_none"}');
  peer.write(Buffer.concat([greetingOf(user)[0], command.subarray(0, -1)]));
  await pause(delayMs);
  peer.write(command.subarray(-1));
  await peer.until('"ref":"early"');
  return /"code":"(\w+)"/.exec(peer.text)?.[1];
}

/** Endpoints of the replaced system, with and without a word about who one is. */
const LEGACY_PATHS = [
  '/websocket',
  '/api/demo/ws',
  '/api/v1/websocket',
  '/ws/isolated',
  '/ws/factory',
  '/ws/test',
  '/ws/',
];

const BYPASS_HEADERS: readonly Readonly<Record<string, string>>[] = [
  {},
  { 'X-Test-User': 'test_user', 'X-E2E-Test': 'true', 'X-E2E-Bypass-Key': 'demo' },
  { Authorization: 'Bearer ' },
  { Authorization: 'Bearer test_token' },
  { 'Sec-WebSocket-Protocol': 'runwire.v1, e2e-testing' },
];

/** The status that an upgrade of a path is answered with. */
async function knock(
  harness: Harness,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  using peer = new HostilePeer(harness.url);
  peer.write(upgradeText(headers).replace('GET /ws ', `GET ${path} `));
  await peer.until('\r\n\r\n');
  return Number(peer.answer.split(' ')[1]);
}

async function caughtUp<T extends BareConnection>(tab: T): Promise<T> {
  await tab.untilControl('caught_up');
  return tab;
}

async function middleOf(tab: BareConnection, runId: string): Promise<void> {
  await tab.until(
    'the middle',
    (event) => event.runId === runId && event.type === 'agent_delta' && event['data'].offset > 100,
  );
}

function isEndOf(runId: string): (event: BareMessage) => boolean {
  return (event) => event.type === 'agent_completed' && event.runId === runId;
}

async function handlersOfOneTab(harness: Harness): Promise<number> {
  const tab = await caughtUp(harness.bare(await harness.register()));
  const count = await handlers(harness);
  tab.cut();
  return count;
}

/** Counted by V8, not by the server. */
async function handlers(harness: Harness): Promise<number> {
  return (await harness.server.liveObjects()).get('HandlerRegistration') ?? 0;
}

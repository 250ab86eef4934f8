import { describe, expect, it } from '@jest/globals';
import { CodedError, createDeferred } from '@runwire/kernel';
import type { Principal } from '../src/index.js';
import { createFixture, errorCodes, establish, type Fixture, liveCounts, ofType } from './support/fixture.js';

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const base64url = (token: string) => Buffer.from(token).toString('base64url');

async function expectNothingLeft(fixture: Fixture): Promise<void> {
  await fixture.clock.settle();
  expect(liveCounts(fixture)).toEqual(liveCounts(fixture).map(() => 0));
}

describe('the token', () => {
  it('[WS-1] comes in the Authorization header, else in a subprotocol, else in the first frame', async () => {
    const fixture = createFixture();
    const [header, protocol, frame] = [fixture.token(), fixture.token(), fixture.token()];
    const offer = `runwire.v1, bearer.${base64url(protocol)}`;
    const both = { authorization: `Bearer ${header}`, 'sec-websocket-protocol': offer };
    fixture.server.accept({ headers: both });
    fixture.server.accept({ headers: { 'sec-websocket-protocol': offer } });
    fixture.server.accept().send({ type: 'authenticate', token: frame });
    await fixture.clock.settle();
    const users = [header, protocol, frame].map((token) => fixture.tokens.get(token)?.userId);
    expect(fixture.opened.map((connection) => connection.userId)).toEqual(users);
  });

  it('brings resume and replaces with it, from the URL or from the frame', async () => {
    const fixture = createFixture();
    const url = '/ws?epoch=e&seq=12&id=evt&replaces=con_1';
    fixture.server.accept({ url, ...bearer(fixture.token()) });
    fixture.server.accept({ url: '/ws?seq=x', ...bearer(fixture.token()) });
    fixture.server.accept(bearer(fixture.token()));
    const resume = { epoch: 'e', seq: 3 };
    fixture.server.accept().send({ type: 'authenticate', token: fixture.token(), resume, replaces: 'con_2' });
    await fixture.clock.settle();
    expect(fixture.handshakes).toEqual([
      { resume: { epoch: 'e', seq: 12, id: 'evt' } },
      { resume: { seq: 'x' } },
      { resume: undefined },
      { resume },
    ]);
    expect(fixture.admitted.map((admission) => admission.replaces)).toEqual([
      'con_1',
      undefined,
      undefined,
      'con_2',
    ]);
  });

  const failures: readonly [string, unknown, number][] = [
    ['TOKEN_INVALID', new CodedError('TOKEN_INVALID', 'x'), 4401],
    ['TOKEN_EXPIRED', new CodedError('TOKEN_EXPIRED', 'x'), 4401],
    ['FORBIDDEN', new CodedError('FORBIDDEN', 'x'), 4403],
    ['an unknown code', new CodedError('DATABASE_AWAY', 'x'), 4500],
    ['anything', 'thrown', 4500],
  ];
  for (const [name, failure, code] of failures) {
    it(`[AU-2] that is refused with ${name} closes ${code}`, async () => {
      const fixture = createFixture({ authenticate: () => Promise.reject(failure) });
      const peer = fixture.server.accept(bearer('t'));
      await fixture.clock.settle();
      expect(peer.closedWith?.code).toBe(code);
      expect(fixture.admitted).toEqual([]);
      await expectNothingLeft(fixture);
    });
  }

  it('[AU-5] is in no log line, whether it is right, wrong or breaks the authenticator', async () => {
    const fixture = createFixture();
    fixture.server.accept(bearer(fixture.token())).send({ type: 'authenticate', token: 'wrong-token' });
    fixture.server.accept(bearer('wrong-token'));
    fixture.server.accept({
      headers: { 'sec-websocket-protocol': `runwire.v1, bearer.${base64url('wrong-token')}` },
    });
    await fixture.clock.settle();
    await fixture.server.close();
    const text = JSON.stringify(fixture.logger.lines);
    expect(text).not.toMatch(/wrong-token|token\.0/);
    expect(text).not.toContain(base64url('wrong-token'));
  });

  it('whose context is refused closes 4500', async () => {
    const principal: Principal = {
      ...createFixture().principal(),
      userId: 'not an id' as Principal['userId'],
    };
    const fixture = createFixture({ authenticate: async () => principal });
    const peer = fixture.server.accept(bearer('t'));
    await fixture.clock.settle();
    expect(peer.closedWith?.code).toBe(4500);
    await expectNothingLeft(fixture);
  });
});

describe('before authentication', () => {
  it('[WS-6] a first frame that is not authenticate closes 4401', async () => {
    for (const frame of [{ type: 'ping' }, 'no json', { type: 'authenticate' }, { type: 'nonsense' }]) {
      const fixture = createFixture();
      const peer = fixture.server.accept();
      peer.send(frame);
      await fixture.clock.settle();
      expect(peer.closedWith?.code).toBe(4401);
    }
  });

  it('[WS-6] a frame of 8 KiB is taken and one byte more closes 1009', async () => {
    const frameOf = (fixture: Fixture, bytes: number): string => {
      const frame = JSON.stringify({ type: 'authenticate', token: fixture.token(), resume: {} });
      return frame + ' '.repeat(bytes - frame.length);
    };
    const fixture = createFixture();
    const [fits, exceeds] = [fixture.server.accept(), fixture.server.accept()];
    fits.send(frameOf(fixture, 8_192));
    exceeds.send(frameOf(fixture, 8_193));
    await fixture.clock.settle();
    expect(ofType(fits.messages, 'connection_established')).toHaveLength(1);
    expect(exceeds.closedWith?.code).toBe(1009);
  });

  it('[WS-6] a second frame closes 4400', async () => {
    const fixture = createFixture();
    const peer = fixture.server.accept();
    peer.send({ type: 'authenticate', token: fixture.token() });
    peer.send({ type: 'ping' });
    await fixture.clock.settle();
    expect(peer.closedWith?.code).toBe(4400);
    expect(fixture.opened).toEqual([]);
    await expectNothingLeft(fixture);
  });

  it('silence closes 4408 after five seconds, not before', async () => {
    const fixture = createFixture();
    const peer = fixture.server.accept();
    await fixture.clock.advance(4_999);
    expect(peer.closedWith).toBeUndefined();
    await fixture.clock.advance(1);
    expect(peer.closedWith?.code).toBe(4408);
    await expectNothingLeft(fixture);
  });
});

describe('an authenticator that hangs', () => {
  const hanging = () => {
    const verdict = createDeferred<Principal>();
    let signal: AbortSignal | undefined;
    const fixture = createFixture({
      authenticate: (_token, attempt) => {
        signal = attempt.signal;
        return verdict.promise;
      },
    });
    const peer = fixture.server.accept(bearer('t'));
    return { fixture, peer, verdict, signal: () => signal };
  };

  it('is aborted and the peer closed 4408 after five seconds; its late answer changes nothing', async () => {
    const { fixture, peer, verdict, signal } = hanging();
    await fixture.clock.advance(5_000);
    expect(peer.closedWith?.code).toBe(4408);
    expect(signal()?.aborted).toBe(true);
    verdict.resolve(fixture.principal());
    await expectNothingLeft(fixture);
    expect(fixture.admitted).toEqual([]);
  });

  for (const [how, leave] of [
    ['closes', 'end'],
    ['vanishes', 'vanish'],
  ] as const) {
    it(`[WS-5] is aborted when the peer ${how} while authenticating`, async () => {
      const { fixture, peer, verdict, signal } = hanging();
      peer[leave]();
      await fixture.clock.settle();
      expect(signal()?.aborted).toBe(true);
      verdict.reject(new Error('late'));
      await expectNothingLeft(fixture);
      expect(fixture.admitted).toEqual([]);
    });
  }
});

describe('admission and opening', () => {
  it('[WS-1] follow each other: authenticate, admit, open, established, messages', async () => {
    const steps: string[] = [];
    const fixture = createFixture({
      authenticate: async () => {
        steps.push('authenticate');
        return fixture.principal();
      },
      admission: {
        reserve: () => ({
          kind: 'reserved',
          admit: (connection) => void steps.push(`admit in ${connection.state}`),
          release: () => void steps.push('release'),
        }),
      },
      open: async (connection) => {
        steps.push(`open in ${connection.state}`);
        connection.handle('resync', () => void steps.push('message'));
        establish(connection);
        steps.push(`established: ${connection.state}`);
      },
    });
    const peer = fixture.server.accept(bearer('t'));
    peer.send({ type: 'resync', id: 'r', epoch: 'e', seq: 1 });
    await fixture.clock.settle();
    peer.end();
    await fixture.clock.settle();
    expect(steps).toEqual([
      'authenticate',
      'admit in admitting',
      'open in admitting',
      'established: ready',
      'message',
      'release',
    ]);
  });

  it('send connection_established first, with what the connection knows', async () => {
    const fixture = createFixture();
    const { connection, peer } = await fixture.ready();
    expect(peer.messages[0]).toEqual({
      type: 'connection_established',
      connectionId: connection.id,
      userId: connection.userId,
      serverTimeMs: fixture.clock.nowMs(),
      stream: { epoch: 'e1', first: 1, head: 7, headId: 'evt_7' },
      resume: { mode: 'live', from: 8 },
      limits: { maxMessageBytes: 65_536, maxCommandsPerMinute: 60 },
      heartbeatIntervalMs: 20_000,
      tokenExpiresAtMs: fixture.clock.nowMs() + 3_600_000,
      reconnect: { minDelayMs: 500, maxDelayMs: 20_000, windowMs: 5_000 },
    });
  });

  it('close 4500 when open rejects, throws, or settles without establishing', async () => {
    const opens = [
      () => Promise.reject(new Error('secret')),
      () => {
        throw new Error('secret');
      },
      () => Promise.resolve(),
    ];
    for (const open of opens) {
      const fixture = createFixture({ open });
      const peer = fixture.server.accept(bearer(fixture.token()));
      await fixture.clock.settle();
      expect(peer.closedWith).toEqual({ code: 4500, reason: 'server error' });
      await expectNothingLeft(fixture);
    }
  });

  it('[WS-5] leave nothing behind when the peer goes while opening, and end quietly when open settles late', async () => {
    for (const leave of ['end', 'vanish'] as const) {
      const gate = createDeferred();
      const fixture = createFixture({
        open: async (connection) => {
          connection.handle('ack', () => {});
          await gate.promise;
          establish(connection);
        },
      });
      const peer = fixture.server.accept(bearer(fixture.token()));
      await fixture.clock.settle();
      expect(fixture.server.stats()).toMatchObject({ handlers: 1, connections: { admitting: 1 } });
      peer[leave]();
      await fixture.clock.settle();
      gate.resolve();
      await expectNothingLeft(fixture);
      expect(peer.frames).toEqual([]);
      expect(fixture.logger.lines.filter((line) => line.level === 'error')).toEqual([]);
    }
  });

  it('hold what is sent early and send it behind connection_established', async () => {
    const fixture = createFixture({
      open: async (connection) => {
        connection.send({ type: 'server_draining', reconnectAfterMs: 1, deadlineAtMs: 2 });
        expect(() => connection.sendFrames([Buffer.from('{}')])).toThrow(
          expect.objectContaining({ code: 'SOCKET_NOT_ESTABLISHED' }),
        );
        establish(connection);
        expect(() => establish(connection)).toThrow(
          expect.objectContaining({ code: 'SOCKET_ALREADY_ESTABLISHED' }),
        );
      },
    });
    const peer = fixture.server.accept(bearer(fixture.token()));
    await fixture.clock.settle();
    expect(peer.messages.map((message) => message.type)).toEqual([
      'connection_established',
      'server_draining',
    ]);
  });
});

describe('frames before connection_established', () => {
  const pings = (count: number) => Array.from({ length: count }, (_, n) => ({ type: 'ping', n }));

  it('[WS-1] are held up to 16 and answered afterwards, in order', async () => {
    const fixture = createFixture();
    const peer = fixture.server.accept(bearer(fixture.token()));
    for (const ping of pings(16)) peer.send(ping);
    expect(peer.frames).toEqual([]);
    await fixture.clock.settle();
    expect(peer.messages[0]?.type).toBe('connection_established');
    expect(ofType(peer.messages, 'pong').map((pong) => pong.n)).toEqual(pings(16).map((ping) => ping.n));
  });

  it('[WS-6] close 4400 with the 17th', async () => {
    const fixture = createFixture();
    const peer = fixture.server.accept(bearer(fixture.token()));
    for (const ping of pings(17)) peer.send(ping);
    await fixture.clock.settle();
    expect(peer.closedWith?.code).toBe(4400);
  });

  it('[WS-6] are held up to 64 KiB of UTF-8 and close 4400 with one byte more', async () => {
    const padded = (bytes: number): string => `{"type":"ping"}${' '.repeat(bytes - 15)}`;
    const fixture = createFixture();
    const [fits, exceeds, single] = [0, 1, 2].map(() => fixture.server.accept(bearer(fixture.token())));
    fits?.send(padded(32_768));
    fits?.send(padded(32_768));
    exceeds?.send(padded(32_768));
    exceeds?.send(padded(32_769));
    single?.send(padded(65_537));
    await fixture.clock.settle();
    expect(fits && ofType(fits.messages, 'pong')).toHaveLength(2);
    expect(exceeds?.closedWith?.code).toBe(4400);
    expect(single?.closedWith?.code).toBe(4400);
  });

  it('[WS-1] are held while opening, too, after a first frame with a token, until their handlers are there', async () => {
    const gate = createDeferred();
    const handled: string[] = [];
    const fixture = createFixture({
      open: async (connection) => {
        await gate.promise;
        connection.handle('resync', ({ id }) => void handled.push(id ?? ''));
        establish(connection);
      },
    });
    const peer = fixture.server.accept();
    peer.send({ type: 'authenticate', token: fixture.token() });
    await fixture.clock.settle();
    peer.send({ type: 'ping', n: 1 });
    peer.send({ type: 'resync', id: 'early', epoch: 'e', seq: 1 });
    gate.resolve();
    await fixture.clock.settle();
    expect(ofType(peer.messages, 'pong')).toHaveLength(1);
    expect(handled).toEqual(['early']);
    expect(errorCodes(peer)).toEqual([]);
  });
});

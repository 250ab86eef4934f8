import { deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import {
  compressedFrame,
  fragmentsOf,
  HostilePeer,
  headOfText,
  pingFrame,
  upgradeText,
} from '../harness/hostile-peer.js';
import {
  type BareClient,
  createHarness,
  type Harness,
  type HarnessOptions,
  type HttpUser,
  pause,
  textOf,
  until,
} from '../harness/index.js';
import { type MemoryProbe, PROBED, probeMemory } from '../harness/memory-probe.js';

const TEST_MS = 120_000;
const MEGABYTE = 1_000_000;
const MANY = 1_000;
/** A connection that nobody may have costs less than this. */
const PER_CONNECTION_BYTES = 20_000;

const LIMIT_MS = 1_000;
/** How often the server looks, and what a busy machine adds to that. */
const LOOKS_MS = 3_000;
const SHORT = { RUNWIRE_AUTHENTICATION_TIMEOUT_MS: String(LIMIT_MS) };
const COUNT = Array.from({ length: 200 }, (_, index) => index + 1).join(' ');

describe('a hostile peer', () => {
  it(
    '[WS-6] with 131,072 tiny fragments is closed with 1009 and costs no memory',
    async () => {
      await using attacked = await underAttack();
      const bomb = fragmentsOf(' '.repeat(131_072));
      for (let round = 0; round < 5; round += 1) {
        using peer = await attacked.peer();
        peer.write(bomb);
        await peer.untilOver();
        expect(peer.closeCode).toBe(1009);
      }
      await attacked.expectUntouched(5 * MEGABYTE);
    },
    TEST_MS,
  );

  it(
    '[WS-6] with a ping flood is closed with 4429, whether or not it reads the pongs',
    async () => {
      await using attacked = await underAttack();
      const flood = Buffer.concat(Array.from({ length: 5_000 }, pingFrame));
      using reading = await attacked.peer();
      reading.write(flood);
      await reading.untilOver();
      expect(reading.closeCode).toBe(4429);
      // A pong for each ping of the limit, at most; none for the rest.
      expect(reading.receivedBytes).toBeLessThan(1_001 * pingFrame().length + 10_000);
      using deaf = await attacked.peer();
      deaf.socket.pause();
      deaf.write(flood);
      await attacked.untilClosed('4429', 2);
      await attacked.expectUntouched(5 * MEGABYTE);
    },
    TEST_MS,
  );

  it(
    '[WS-6] with a compressed bomb is closed with 1002, and over HTTP it is no JSON: nothing is ever inflated',
    async () => {
      await using attacked = await underAttack();
      const bomb = Buffer.alloc(50 * MEGABYTE, 32);
      using peer = await attacked.peer({ 'Sec-WebSocket-Extensions': 'permessage-deflate' });
      expect(peer.answer.toLowerCase()).not.toContain('permessage-deflate');
      peer.write(compressedFrame(deflateRawSync(bomb).subarray(0, 60_000)));
      await peer.untilOver();
      expect(peer.closeCode).toBe(1002);
      const stream = attacked.harness.bareSse(attacked.user);
      await stream.untilControl('caught_up');
      const zipped = gzipSync(bomb).subarray(0, 60_000);
      const { status, body } = await stream.post(zipped, { 'content-encoding': 'gzip' });
      expect([status, body.error.code]).toEqual([400, 'INVALID_JSON']);
      stream.cut();
      await attacked.expectUntouched(5 * MEGABYTE);
    },
    TEST_MS,
  );

  it(
    '[WS-6] that sends half a handshake, a thousand times, is answered 408 at the limit of authentication',
    async () => {
      await using attacked = await underAttack(SHORT);
      const half = upgradeText().slice(0, 60);
      await attacked.byThousands(async (peer) => {
        peer.write(half);
        await peer.untilOver(LIMIT_MS + LOOKS_MS);
        expect(peer.answer).toContain('408 Request Timeout');
      });
      await attacked.expectUntouched(MANY * PER_CONNECTION_BYTES);
    },
    TEST_MS,
  );

  it(
    '[WS-6] that is silent after the accept, a thousand times, is closed with 4408 at the same limit',
    async () => {
      await using attacked = await underAttack(SHORT);
      await attacked.byThousands(async (peer) => {
        peer.upgrade();
        await peer.until('101 Switching Protocols');
        await peer.untilOver(LIMIT_MS + LOOKS_MS);
        expect(peer.closeCode).toBe(4408);
      });
      await attacked.untilClosed('4408', MANY);
      await attacked.expectUntouched(MANY * PER_CONNECTION_BYTES);
    },
    TEST_MS,
  );

  it(
    '[WS-6] that sends a byte a moment is cut off in its handshake, before its token, and in a message that never ends',
    async () => {
      const silence = { RUNWIRE_HEARTBEAT_INTERVAL_MS: '1000', RUNWIRE_SILENCE_TIMEOUT_MS: '2000' };
      await using attacked = await underAttack({ ...SHORT, ...silence });
      using handshake = new HostilePeer(attacked.harness.url);
      await dripped(handshake, upgradeText({ 'X-Filler': 'x'.repeat(10_000) }));
      expect(handshake.answer).toContain('408 Request Timeout');
      using token = new HostilePeer(attacked.harness.url);
      token.upgrade();
      await token.until('101 Switching Protocols');
      token.write(headOfText(8_000));
      await dripped(token, ' '.repeat(8_000));
      expect(token.closeCode).toBe(4408);
      using message = await attacked.peer();
      message.write(headOfText(60_000));
      // Bytes of a frame are no frame: this peer has shown no life since it connected.
      await dripped(message, ' '.repeat(60_000));
      expect(message.socket.destroyed).toBe(true);
      await attacked.expectUntouched(5 * MEGABYTE);
    },
    TEST_MS,
  );
});

/** A server under attack, whose other users are in the middle of their answers. */
interface Attacked extends AsyncDisposable {
  readonly harness: Harness;
  /** The attacker has an account, too. */
  readonly user: HttpUser;
  /** A peer whose connection is established. */
  peer(headers?: Readonly<Record<string, string>>): Promise<HostilePeer>;
  /** Attacks a thousand times at once. */
  byThousands(attack: (peer: HostilePeer) => Promise<void>): Promise<void>;
  /** Settles when the server has closed so many connections with this code. */
  untilClosed(code: string, count: number): Promise<void>;
  /** The others got their answers, and the server's memory is what it was, or less than `bytes` more. */
  expectUntouched(bytes: number): Promise<void>;
}

async function underAttack(env: HarnessOptions['env'] = {}): Promise<Attacked> {
  const harness = await createHarness({ env, nodeFlags: PROBED });
  const probe: MemoryProbe = await probeMemory(harness.server);
  const user = await harness.register();
  const others: readonly BareClient[] = [harness.bare(await harness.register())];
  for (const other of others) await other.untilControl('caught_up');
  const usedBytes = await probe.usedBytes();
  const [other] = others;
  other?.send({ type: 'chat', content: 'count to 200 at 50 per second' });
  await other?.until('the start', ({ type }) => type === 'agent_started');
  return {
    harness,
    user,
    async peer(headers) {
      const peer = new HostilePeer(harness.url);
      await peer.establish(user.accessToken, headers);
      return peer;
    },
    async byThousands(attack) {
      const peers = Array.from({ length: MANY }, () => new HostilePeer(harness.url));
      try {
        await Promise.all(peers.map(attack));
      } finally {
        for (const peer of peers) peer[Symbol.dispose]();
      }
    },
    async untilClosed(code, count) {
      await until(30_000, `${count} closes with ${code}`, async () => {
        return ((await harness.metrics()).get(`runwire_closes_total{code="${code}"}`) ?? 0) >= count;
      });
    },
    async expectUntouched(bytes) {
      const end = await other?.until('the end', ({ type }) => type === 'agent_completed', 30_000);
      expect(textOf(other?.events ?? [], end?.runId ?? '')).toBe(COUNT);
      expect([other?.closed, other?.duplicates, other?.gaps]).toEqual([undefined, 0, 0]);
      expect((await probe.usedBytes()) - usedBytes).toBeLessThan(bytes);
    },
    async [Symbol.asyncDispose]() {
      probe[Symbol.dispose]();
      await harness[Symbol.asyncDispose]();
    },
  };
}

/** Writes a byte every 20 ms until the peer is cut off. */
async function dripped(peer: HostilePeer, text: string): Promise<void> {
  let isOver = false;
  const over = peer.untilOver(30_000).then(() => {
    isOver = true;
  });
  for (let at = 0; at < text.length && !isOver; at += 1) {
    peer.write(text[at] ?? '');
    await pause(20);
  }
  await over;
}

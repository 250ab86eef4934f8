// What networks do to connections. Each scenario ends with the audit of everything that was delivered.
import { createHarness, type Harness, pause, until } from '../../harness/index.js';
import type { Row } from '../rows.js';
import { Conversation, healed, sometime, startTalker, startTalkers } from '../talkers.js';

const USERS = 6;
/** A token that lives through the longest scenario. */
export const LONG_TOKENS = { RUNWIRE_ACCESS_TOKEN_LIFETIME_MS: '3600000' };

/** Users talk while a fault comes again and again, at random points of random runs. */
async function underTalk(
  row: Row,
  rounds: number,
  fault: (harness: Harness, conversation: Conversation) => Promise<number | undefined>,
): Promise<void> {
  await using harness = await createHarness({ network: {}, env: LONG_TOKENS });
  const conversation = new Conversation(await startTalkers(harness, USERS));
  for (let round = 0; round < rounds; round += 1) {
    await sometime(700);
    row.round(await fault(harness, conversation));
  }
  await conversation.over();
  row.audited(await harness.audit());
}

/** Every connection is reset. */
export async function resets(row: Row, rounds: number): Promise<void> {
  await underTalk(row, rounds, (harness, conversation) => conversation.heal(() => harness.proxy.cut()));
}

/** Connections end in the midst of a frame: each once it has carried a random number of bytes. */
export async function cutsInsideFrames(row: Row, rounds: number): Promise<void> {
  await underTalk(row, rounds, (harness, conversation) =>
    conversation.heal(() => harness.proxy.cutAfter(1 + Math.floor(Math.random() * 20_000))),
  );
}

/** Nothing passes for a while, in one way or both; nothing is closed, so there is nothing to heal. */
export async function stalls(row: Row, rounds: number): Promise<void> {
  const ways = ['both', 'toClient', 'toServer'] as const;
  let round = 0;
  await underTalk(row, rounds, async (harness) => {
    harness.proxy.stall(ways[round % ways.length]);
    round += 1;
    await sometime(2_000);
    harness.proxy.restore();
    return undefined;
  });
}

/** Bytes trickle in, one or seven at a time, with the delay of another continent. */
export async function slices(row: Row, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const sliceBytes = round % 2 === 0 ? 1 : 7;
    await using harness = await createHarness({ network: { sliceBytes, latencyMs: 40 } });
    const talkers = await startTalkers(harness, 3);
    await Promise.all(talkers.map(({ talk }) => talk('count to 300 at 200 per second')));
    row.round();
    row.audited(await harness.audit());
  }
}

/** A line of 1 KB a second: the answer is whole in the end, merged on its way, and nobody is cut off. */
export async function slowLine(row: Row, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await using harness = await createHarness({ network: {} });
    const talkers = await startTalkers(harness, 3);
    harness.proxy.shape({ bytesPerSecond: 1_000 });
    const ends = await Promise.all(talkers.map(({ talk }) => talk('count to 300 at 100 per second')));
    row.round();
    const connections = talkers.map(({ client }) => client.stats.connections);
    if (connections.some((count) => count !== 1)) throw new Error(`connections: ${connections.join(' ')}`);
    if (ends.some(({ data }) => data.status !== 'completed')) throw new Error('an answer was not completed');
    row.audited(await harness.audit());
  }
}

/** The connection that came after a drop is dropped too, before it is of use. */
export async function secondDrops(row: Row, rounds: number): Promise<void> {
  await underTalk(row, rounds, (harness, conversation) =>
    conversation.heal(async () => {
      harness.proxy.cut();
      // Within the time in which clients come back, and as they do.
      await sometime(600);
      harness.proxy.cut();
      await until(10_000, 'somebody to come back', () => harness.proxy.connections > 0);
      harness.proxy.cut();
    }),
  );
}

/** A client that has much to catch up with is cut while it does, again and again. */
export async function dropsDuringReplay(row: Row, rounds: number): Promise<void> {
  await using harness = await createHarness({ network: {}, env: LONG_TOKENS });
  const author = await startTalker(harness);
  await Promise.all([author.talk('write 1 MB'), author.talk('count to 2000 at 2000 per second')]);
  await author.client.close();
  for (let round = 0; round < rounds; round += 1) {
    harness.proxy.shape({ bytesPerSecond: 400_000, cutAfterBytes: 60_000 + Math.random() * 300_000 });
    const reader = harness.client(author.user, { start: 'beginning' });
    const begunAtMs = performance.now();
    void reader.connect().catch(() => undefined);
    await until(30_000, 'the replay to be cut', () => reader.stats.connections >= 3);
    harness.proxy.restore();
    await until(30_000, 'the replay to be whole', () => reader.state.kind === 'live');
    row.round(performance.now() - begunAtMs);
  }
  row.audited(await harness.audit());
}

/** The connection is lost between the handshake and the first event, or before it is established at all. */
export async function dropsBeforeTheFirstEvent(row: Row, rounds: number): Promise<void> {
  await underTalk(row, rounds, async (harness, conversation) => {
    // The answer to the upgrade, and a part of `connection_established`: the offsets in question.
    harness.proxy.shape({ cutAfterBytes: Math.floor(Math.random() * 900) });
    harness.proxy.cut();
    await pause(1_500);
    return await conversation.heal(() => {
      harness.proxy.restore();
      harness.proxy.cut();
    });
  });
}

/** The client is cut off and back before the server has noticed: the old socket still takes what is sent. */
export async function returnsUnnoticed(row: Row, rounds: number): Promise<void> {
  await underTalk(row, rounds, (harness, conversation) =>
    conversation.heal(() => harness.proxy.cut('client')),
  );
}

/** Connections are lost and nobody is told; then the page is looked at, or online again, and the clients ask. */
export async function returnsToAPage(row: Row, rounds: number): Promise<void> {
  await using harness = await createHarness({ network: {}, env: LONG_TOKENS });
  const talkers = await startTalkers(harness, USERS);
  const conversation = new Conversation(talkers);
  for (let round = 0; round < rounds; round += 1) {
    await sometime(500);
    harness.proxy.swallow();
    // Frames that had come before are read first: a client takes whatever it reads for life.
    await pause(READ_MS);
    const before = talkers.map(({ client }) => client.stats.connections);
    let foundMs = 0;
    const healMs = await conversation.heal(async () => {
      const begunAtMs = performance.now();
      for (const { page } of talkers) page.show(round % 2 === 0 ? 'visible' : 'online');
      await until(10_000, 'every client to find its dead link', () =>
        talkers.every(
          ({ client: { state, stats } }, index) =>
            state.kind !== 'live' || stats.connections > (before[index] ?? 0),
        ),
      );
      foundMs = performance.now() - begunAtMs;
    });
    if (foundMs > FOUND_MS) throw new Error(`dead links were found only after ${seconds(foundMs)} s`);
    row.round(healMs);
  }
  await conversation.over();
  row.audited(await harness.audit());
}

const READ_MS = 200;
/** The promise is 3 s; the rest is for a slow machine. */
const FOUND_MS = 3_300;

/** Connections become black holes, and nobody is told: the server finds out within 30 s, the clients within 50 s. */
export async function blackHole(row: Row, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await using harness = await createHarness({ network: {} });
    const talkers = await startTalkers(harness, USERS);
    const runs = await Promise.all(
      talkers.map(
        async ({ client }) => (await client.send({ content: 'count to 400 at 100 per second' })).runId,
      ),
    );
    await sometime(1_000);
    const begunAtMs = performance.now();
    const noticed = untilNobodyIsConnected(harness, begunAtMs);
    const healMs = await healed(talkers, () => harness.proxy.swallow());
    const serverMs = await noticed;
    row.note(`server noticed after ${seconds(serverMs)} s`);
    if (serverMs > SERVER_NOTICES_MS) throw new Error(`the server noticed only after ${seconds(serverMs)} s`);
    if (healMs > CLIENT_NOTICES_MS) throw new Error(`clients were back only after ${seconds(healMs)} s`);
    row.round(healMs);
    await Promise.all(talkers.map(({ end }, index) => end(runs[index] ?? '')));
    row.audited(await harness.audit());
  }
}

/** Each promise, and a little for the clocks of a slow machine; the client's with a reconnect. */
const SERVER_NOTICES_MS = 32_000;
const CLIENT_NOTICES_MS = 52_000;

async function untilNobodyIsConnected(harness: Harness, sinceMs: number): Promise<number> {
  await until(60_000, 'the server to find its dead links', async () => {
    return (await harness.metrics()).get('runwire_connections{state="ready"}') === 0;
  });
  return performance.now() - sinceMs;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

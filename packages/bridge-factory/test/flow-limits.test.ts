import { describe, expect, it } from '@jest/globals';
import type { ReadRequest } from '@runwire/event-log';
import type { FakeConnection } from './support/fake-connection.js';
import { createHarness, range } from './support/harness.js';
import { sizedDrafts } from './support/sized-events.js';
import { through } from './support/through.js';

const KIB = 1_024;

/** A harness whose log counts reads and what they return. */
function readingHarness() {
  const reads: { readonly request: ReadRequest; readonly events: number; readonly bytes: number }[] = [];
  const harness = createHarness({
    log: (log) => ({
      ...through(log),
      async read(userId, request) {
        const result = await log.read(userId, request);
        const events = result.kind === 'page' ? result.events : [];
        const bytes = events.reduce((sum, event) => sum + event.bytes, 0);
        reads.push({ request, events: events.length, bytes });
        return result;
      },
    }),
  });
  return {
    ...harness,
    reads,
    /** Appends events of an exact size, in one append. */
    appendSized: async (count: number, bytes: number, firstSeq?: number): Promise<void> => {
      const sized = { count, bytes, ...(firstSeq === undefined ? {} : { firstSeq }) };
      await harness.log.append(harness.userId, sizedDrafts(harness.ids.threadId(), sized));
      await harness.clock.settle();
    },
  };
}

/** Reads and acks until everything has come. */
async function drainAll(connection: FakeConnection, settle: () => Promise<void>): Promise<void> {
  for (let turns = 0, before = -1; before !== connection.writes.length && turns < 1_000; turns += 1) {
    before = connection.writes.length;
    connection.drain();
    connection.ack(connection.events.at(-1)?.seq ?? 0);
    await settle();
  }
}

describe('a page', () => {
  it('of 1,000 missed events of 200 bytes is read at once and written at once', async () => {
    const { appendSized, attach, reads } = readingHarness();
    await appendSized(1_000, 200);
    const { connection } = await attach({ seq: 0 });
    expect(reads).toMatchObject([{ events: 1_000, bytes: 200_000 }]);
    expect(connection.writes).toHaveLength(1);
    expect(connection.writes[0]).toHaveLength(13);
    expect(connection.seqs).toEqual(range(1, 1_000));
    expect(connection.types.slice(-1)).toEqual(['caught_up']);
  });

  it.each([
    ['1,024 events', 1_024, 164, [1_024]],
    ['1,025 events', 1_025, 164, [1_024, 1]],
    ['256 KiB', 256, KIB, [256]],
    ['256 KiB and an event', 257, KIB, [256, 1]],
  ])('holds at most 1,024 events or 256 KiB: %s', async (_title, count, bytes, pages) => {
    const { appendSized, attach, reads } = readingHarness();
    await appendSized(count, bytes);
    const { connection } = await attach({ seq: 0 });
    expect(reads.map(({ events }) => events)).toEqual(pages);
    expect(connection.writes).toHaveLength(pages.length);
    expect(connection.seqs).toEqual(range(1, count));
  });

  it('holds at least one event, of whatever size', async () => {
    const { appendSized, attach, reads, clock } = readingHarness();
    await appendSized(2, 256 * KIB);
    const { connection } = await attach({ seq: 0 });
    connection.ack(0);
    await drainAll(connection, () => clock.settle());
    expect(reads.slice(0, 2).map(({ events }) => events)).toEqual([1, 1]);
    expect(connection.writes.map((frames) => frames.map((frame) => frame.byteLength))).toEqual([
      [256 * KIB],
      [256 * KIB],
    ]);
  });

  it.each([
    ['16 KiB', 4 * KIB, 4],
    ['a byte more than 16 KiB', 4 * KIB + 1, 3],
  ])('goes out in frames of at most 16 KiB of events: four of %s', async (_title, bytes, inFirst) => {
    const { appendSized, attach } = readingHarness();
    await appendSized(4, bytes);
    const { connection } = await attach({ seq: 0 });
    const [frames] = connection.writes;
    expect(JSON.parse(new TextDecoder().decode(frames?.[0]))).toHaveLength(inFirst);
    expect(connection.seqs).toEqual([1, 2, 3, 4]);
  });
});

describe('what is in flight to a client that acks', () => {
  it.each([
    ['goes up to 256 KiB', 0, [1, 2]],
    ['never goes above', 1, [1]],
  ])('%s', async (_title, over, sent) => {
    const { appendSized, attach, clock } = readingHarness();
    const { connection } = await attach();
    connection.ack(0);
    await appendSized(1, 100_000);
    await appendSized(1, 256 * KIB - 100_000 + over, 2);
    expect(connection.seqs).toEqual(sent);
    expect(connection.flow?.unackedBytes).toBeLessThanOrEqual(256 * KIB);
    connection.ack(1);
    await clock.settle();
    expect(connection.seqs).toEqual([1, 2]);
  });

  it('is limited from its first ack on, by what was sent before it, too', async () => {
    const { appendSized, attach, clock } = readingHarness();
    await appendSized(2_000, KIB);
    const { connection, cursor } = await attach({ seq: 0 });
    // Until then nothing shows that it acks: everything goes that its buffer takes.
    expect(cursor.sentSeq).toBe(2_000);
    connection.ack(10);
    await appendSized(1, KIB, 2_001);
    expect(cursor.state).toBe('behind');
    connection.ack(1_999);
    await clock.settle();
    expect(connection.seqs).toEqual(range(1, 2_001));
    expect(connection.flow?.unackedBytes).toBeLessThanOrEqual(256 * KIB);
  });
});

describe('a client that never acks', () => {
  it('is sent what its buffer takes, and more whenever that has drained', async () => {
    const { appendSized, connect, bridge, clock, reads } = readingHarness();
    await appendSized(4_000, KIB);
    const connection = connect();
    connection.isStalled = true;
    const cursor = await bridge.attach(connection, { seq: 0 });
    await clock.settle();
    while (cursor.state !== 'live') {
      expect(connection.bufferedBytes).toBeLessThanOrEqual(257 * KIB);
      expect(connection.flow?.unackedBytes).toBeLessThanOrEqual(512 * KIB);
      connection.drain();
      await clock.settle();
    }
    expect(connection.seqs).toEqual(range(1, 4_000));
    expect(connection.sentOf('caught_up')).toHaveLength(1);
    for (const { bytes } of reads) expect(bytes).toBeLessThanOrEqual(256 * KIB);
  });
});

describe('what liveness is told', () => {
  it('is what was sent, after each write and never before it', async () => {
    const { appendSized, connect, bridge, clock, userId } = readingHarness();
    const told: string[] = [];
    const connection = connect(userId, (message) => {
      if ('seq' in message && message.type !== 'caught_up') told.push(`event ${message.seq}`);
    });
    connection.reportInFlight = ({ sentSeq }) => void told.push(`sent ${sentSeq}`);
    await bridge.attach(connection, undefined);
    await appendSized(2, 10 * KIB);
    await appendSized(1, 10 * KIB, 3);
    await clock.settle();
    expect(told).toEqual(['sent 0', 'event 1', 'event 2', 'sent 2', 'event 3', 'sent 3']);
  });
});

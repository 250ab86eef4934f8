import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import { createIdGenerator } from '@runwire/id-generation';
import { createManualClock, createRecordingLogger } from '@runwire/kernel/testing';
import type { EncodedEvent } from '../src/index.js';
import { createWakeHub } from '../src/index.js';

const clock = createManualClock();
const ids = createIdGenerator({ clock });
const user = ids.userId();

function eventAt(seq: number): EncodedEvent {
  const none = undefined;
  return {
    seq,
    id: ids.eventId(),
    type: 'erased',
    class: 'durable',
    threadId: none,
    runId: none,
    json: '',
    bytes: 0,
  };
}

/** A hub over a stream of which a test sets the first readable and the last event. */
function setUp() {
  const stream = { first: 1, head: 0 };
  const hub = createWakeHub({
    logger: createRecordingLogger(),
    source: {
      epoch: 'e',
      positionOf: () => stream,
    },
  });
  const settle = (count: number) => {
    const seq = stream.head + 1;
    stream.head += count;
    const events = Array.from({ length: count }, (_, index) => eventAt(seq + index));
    const lastId = events.at(-1)?.id ?? ids.eventId();
    const lines = { bytes: Buffer.from(`from ${seq}`), sizes: [count] };
    hub.announce(user, { epoch: 'e', firstSeq: seq, lastSeq: stream.head, lastId, events, lines });
  };
  const listen = () => {
    const wakes: (number[] | 'read')[] = [];
    const lines: unknown[] = [];
    const stop = hub.subscribe(user, (batch) => {
      wakes.push(batch?.events.map(({ seq }) => seq) ?? 'read');
      lines.push(batch?.lines && [Buffer.from(batch.lines.bytes).toString(), ...batch.lines.sizes]);
    });
    return { wakes, lines, stop };
  };
  return { hub, stream, settle, listen };
}

describe('the wake hub', () => {
  it('joins what settles in one turn into one wake', async () => {
    const { hub, settle, listen } = setUp();
    const { wakes } = listen();
    settle(2);
    settle(1);
    await hub.drained();
    settle(1);
    await hub.drained();
    expect(wakes).toEqual([[1, 2, 3], [4]]);
  });

  it('gives a subscriber that comes between an append and its wake only what came after it', async () => {
    const { hub, settle, listen } = setUp();
    const early = listen();
    settle(2);
    const between = listen();
    settle(1);
    const late = listen();
    await hub.drained();
    expect([early.wakes, between.wakes, late.wakes]).toEqual([[[1, 2, 3]], [[3]], []]);
  });

  it('wakes without a batch when part of it can no longer be read, and with one after that', async () => {
    const { hub, stream, settle, listen } = setUp();
    const { wakes } = listen();
    settle(3);
    stream.first = 3;
    await hub.drained();
    settle(1);
    await hub.drained();
    expect(wakes).toEqual(['read', [4]]);
  });

  it('wakes without a batch when what was announced has changed since', async () => {
    const { hub, settle, listen } = setUp();
    const { wakes } = listen();
    settle(2);
    hub.changed(user);
    settle(1);
    await hub.drained();
    hub.changed(user);
    settle(1);
    await hub.drained();
    expect(wakes).toEqual(['read', [4]]);
  });

  it('joins the lines of appends that a subscriber is given whole', async () => {
    const { hub, settle, listen } = setUp();
    const { lines } = listen();
    settle(2);
    await hub.drained();
    settle(1);
    const between = listen();
    settle(1);
    await hub.drained();
    expect(lines).toEqual([
      ['from 1', 2],
      ['from 3\nfrom 4', 1, 1],
    ]);
    expect(between.lines).toEqual([undefined]);
  });

  it('wakes nobody who left before the wake', async () => {
    const { hub, settle, listen } = setUp();
    const { wakes, stop } = listen();
    settle(1);
    stop();
    await hub.drained();
    expect(wakes).toEqual([]);
  });

  it('wakes nobody after it was closed', async () => {
    const { hub, settle, listen } = setUp();
    const { wakes } = listen();
    settle(1);
    hub.close();
    settle(1);
    await hub.drained();
    expect(wakes).toEqual([]);
  });
});

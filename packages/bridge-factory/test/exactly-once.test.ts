import { describe, expect, it } from '@jest/globals';
import type { RunwireEvent } from '@runwire/protocol';
import { EVENT_CLASS } from '@runwire/protocol';
import fc from 'fast-check';
import { ClientModel } from './support/client-model.js';
import { createHarness } from './support/harness.js';

const KIB = 1_024;

/** What may happen between two emits; `client` says to whom. */
type Step =
  | { readonly kind: 'delta'; readonly part: number; readonly text: string }
  | { readonly kind: 'thinking' }
  | { readonly kind: 'progress'; readonly call: string }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'receive'; readonly client: number; readonly count: number; readonly acks: boolean }
  | { readonly kind: 'cut' | 'connect' | 'stall' | 'drain' | 'lose'; readonly client: number };

const client = fc.integer({ min: 0, max: 1 });
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'é', '日', '😀', '\ud83d', '\ude00', '\n"') }),
  fc.integer({ min: 1, max: 40 }).map((kib) => 'long '.repeat(kib * 200)),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('delta' as const), part: fc.integer({ min: 0, max: 1 }), text }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('thinking' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('progress' as const), call: fc.constantFrom('t', 'u') }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 0, max: 60 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('receive' as const),
      client,
      count: fc.integer({ min: 1, max: 20 }),
      acks: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('cut' as const, 'connect' as const), client }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('stall' as const, 'drain' as const), client }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lose' as const), client }) },
);

/** Small limits, so that short schedules meet all of them. */
const options = {
  delivery: {
    maxUnackedBytes: 24 * KIB,
    maxPageBytes: 16 * KIB,
    maxPageEvents: 8,
    maxFrameBytes: 2 * KIB,
    maxResyncsPerMinute: 1_000,
  },
};

async function play(steps: readonly Step[]) {
  const { bridge, connect, emitter, clock, ids, userId, log } = createHarness({ options });
  const model = () =>
    new ClientModel((onSent, resume) => {
      const connection = connect(userId, onSent);
      void bridge.attach(connection, resume);
      return connection;
    });
  const clients = [model(), model()] as const;
  const run = emitter();
  const messageId = ids.messageId();
  const emitted = ['', ''];
  for (const one of clients) one.connect();
  await run.agentStarted({ agent: 'a', messageId, attempt: 1 });
  for (const next of steps) {
    if (next.kind === 'delta') {
      emitted[next.part] += next.text;
      void run.agentDelta({ messageId, part: next.part, kind: 'text', text: next.text });
    } else if (next.kind === 'thinking') void run.agentThinking({ agent: 'a', text: 'hm' });
    else if (next.kind === 'progress') void run.toolProgress({ toolCallId: next.call, percent: 1 });
    else if (next.kind === 'time') await clock.advance(next.ms);
    else {
      act(clients[next.client] ?? clients[0], next);
      await clock.settle();
    }
  }
  for (const one of clients) one.receive(1_000);
  const ended = run.agentCompleted({ agent: 'a', messageId, status: 'completed', durationMs: 1 });
  await clock.advance(100);
  await ended;
  const { epoch, head } = await log.stream(userId);
  for (const one of clients) {
    one.connect();
    // Every turn delivers and acks at least one frame, so the bound is far above what is needed.
    for (let turn = 0; turn < 500 && one.cursor?.seq !== head; turn += 1) {
      await clock.settle();
      one.receive(1_000);
    }
  }
  const page = await log.read(userId, { after: { epoch, seq: 0 }, limitEvents: 1e6, limitBytes: 1e9 });
  const events =
    page.kind === 'page' ? page.events.map((event) => JSON.parse(event.json) as RunwireEvent) : [];
  const durable = events.filter(({ type }) => EVENT_CLASS[type] === 'durable').map(({ seq }) => seq);
  for (const one of clients) one.cut();
  return { clients, emitted, messageId, head, durable, stats: bridge.stats() };
}

function act(one: ClientModel, next: Extract<Step, { readonly client: number }>): void {
  if (next.kind === 'receive') one.receive(next.count, next.acks);
  else if (next.kind === 'cut') one.cut();
  else if (next.kind === 'connect') one.connect();
  else if (next.kind === 'lose') one.lose();
  else if (one.connection !== undefined) {
    one.connection.isStalled = next.kind === 'stall';
    if (next.kind === 'drain') one.connection.drain();
  }
}

describe('exactly once', () => {
  it('[BR-4] holds for every client over random cuts, stalls and gaps: no loss, no duplicate, equal text', async () => {
    let resyncs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        const { clients, emitted, messageId, head, durable, stats } = await play(steps);
        for (const one of clients) {
          expect(one.problems).toEqual([]);
          expect(one.cursor?.seq).toBe(head);
          expect(one.handled).toEqual(durable);
          expect(one.texts.get(`${messageId} 0`) ?? '').toBe(emitted[0]);
          expect(one.texts.get(`${messageId} 1`) ?? '').toBe(emitted[1]);
          resyncs += one.resyncs;
        }
        expect(stats).toMatchObject({ cursors: 0, cursorsBehind: 0, subscriptions: 0, emitters: 0 });
      }),
      { numRuns: 200 },
    );
    // The schedules do contain what they are for.
    expect(resyncs).toBeGreaterThan(0);
  }, 60_000);

  it('[BR-4] loses and repeats nothing when the connection is cut after each single message of a run', async () => {
    const steps: Step[] = [];
    for (let round = 0; round < 25; round += 1) {
      steps.push({ kind: 'delta', part: 0, text: `${round} ` }, { kind: 'time', ms: 45 });
      steps.push({ kind: 'connect', client: 0 }, { kind: 'time', ms: 1 });
      steps.push({ kind: 'receive', client: 0, count: 2, acks: false }, { kind: 'cut', client: 0 });
    }
    const { clients, emitted, messageId, durable } = await play(steps);
    expect(clients[0].texts.get(`${messageId} 0`)).toBe(emitted[0]);
    expect(clients[0].handled).toEqual(durable);
    expect(clients[0].duplicates).toBe(0);
  });
});

import { describe, expect, it } from '@jest/globals';
import type { RunwireEvent } from '@runwire/protocol';
import fc from 'fast-check';
import { createDeliveryRule } from '../src/delivery-rule.js';
import { answerText, applyRunEvent, type RunView } from '../src/index.js';
import { completed, delta, started, thinking, thoughts } from './support/drafts.js';
import { FakeServer } from './support/fake-server.js';
import { createHarness, seqs, upTo } from './support/harness.js';

/** A run whose text is `text`, in pieces of `size`, with other events between them. */
function runLog(text: string, size: number): readonly RunwireEvent[] {
  const server = new FakeServer();
  server.append(started());
  for (let at = 0; at < text.length; at += size) {
    server.append(delta(at, text.slice(at, at + size)));
    if (at % (size * 5) === 0) server.append(thinking(`at ${at}`));
  }
  server.append(completed('msg_1', text));
  return server.log;
}

/** Neighbouring deltas as one, as a server merges them for a connection that is behind. */
function merge(events: readonly RunwireEvent[]): RunwireEvent[] {
  const merged: RunwireEvent[] = [];
  for (const event of events) {
    const before = merged.at(-1);
    if (before?.type === 'agent_delta' && event.type === 'agent_delta') {
      const data = { ...before.data, text: before.data.text + event.data.text };
      merged[merged.length - 1] = { ...event, from: before.from ?? before.seq, data };
    } else {
      merged.push(event);
    }
  }
  return merged;
}

describe('the delivery rule', () => {
  const [one, two, three] = runLog('ab', 1);
  if (one === undefined || two === undefined || three === undefined) throw new Error('There is no log.');
  const at = (seq: number) => ({ epoch: 'e', seq });
  const createRule = (applied: number) => createDeliveryRule(at(applied), { duplicates: 0, gaps: 0 });
  const verdictOf = (verdict: object | string) => (typeof verdict === 'string' ? verdict : 'apply');

  it('judges by seq and from', () => {
    const table: [applied: number, seq: number, from: number | undefined, verdict: string][] = [
      [0, 1, undefined, 'apply'],
      [0, 2, undefined, 'gap'],
      [0, 2, 1, 'apply'],
      [1, 1, undefined, 'duplicate'],
      [2, 1, undefined, 'duplicate'],
      [2, 5, 1, 'apply'],
      [2, 5, 3, 'apply'],
      [2, 5, 4, 'gap'],
      [5, 5, 1, 'duplicate'],
    ];
    for (const [applied, seq, from, kind] of table) {
      const event = { ...three, seq, ...(from === undefined ? {} : { from }) };
      expect([applied, seq, from, verdictOf(createRule(applied).judge(event))]).toEqual([
        applied,
        seq,
        from,
        kind,
      ]);
    }
  });

  it('takes nothing before the position is known', () => {
    expect(createDeliveryRule(undefined, { duplicates: 0, gaps: 0 }).judge(one)).toBe('gap');
  });

  it('counts a gap once, until an event continues', () => {
    const counts = { duplicates: 0, gaps: 0 };
    const rule = createDeliveryRule(at(0), counts);
    expect([rule.judge(three), rule.judge(three), rule.misses(3)]).toEqual(['gap', 'gap', true]);
    expect(counts.gaps).toBe(1);
    rule.judge(one);
    expect(rule.misses(1)).toBe(false);
    expect(rule.misses(3)).toBe(true);
    expect(counts).toEqual({ duplicates: 0, gaps: 2 });
  });

  it('cuts a delta to what is new, and takes one of an unknown answer as it is', () => {
    const piece = (seq: number, offset: number, text: string, messageId = 'm'): RunwireEvent => ({
      type: 'agent_delta',
      seq,
      id: `e${seq}`,
      at: 1,
      threadId: 't',
      runId: 'r',
      data: { messageId, part: 0, kind: 'text', offset, text },
    });
    const rule = createRule(0);
    const pieces = [piece(1, 10, 'abc'), piece(2, 11, 'bcd'), piece(3, 12, 'c'), piece(4, 14, 'e')];
    expect(pieces.map((event) => rule.judge(event))).toMatchObject([
      { data: { offset: 10, text: 'abc' } },
      { data: { offset: 13, text: 'd' } },
      { data: { text: '' } },
      { data: { offset: 14, text: 'e' } },
    ]);
    expect(rule.judge(piece(5, 16, 'g'))).toBe('gap');
    rule.restart(at(4));
    expect(rule.judge(piece(5, 16, 'g'))).toMatchObject({ data: { text: 'g' } });
  });

  it('[BR-4] yields each event once and the same text, however it is repeated, skipped, merged and resynced', () => {
    const moves = fc.array(
      fc.record({
        back: fc.nat(6),
        skip: fc.nat(3),
        count: fc.integer({ min: 1, max: 9 }),
        merged: fc.boolean(),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }),
        fc.nat(4),
        moves,
        (text, n, steps) => {
          const log = runLog(text, n + 1);
          const rule = createRule(0);
          let view: RunView | undefined;
          let last = 0;
          const offer = (events: readonly RunwireEvent[]): void => {
            for (const event of events) {
              const verdict = rule.judge(event);
              if (typeof verdict === 'string') continue;
              expect(event.from ?? event.seq).toBeLessThanOrEqual(last + 1);
              expect(event.seq).toBeGreaterThan(last);
              last = event.seq;
              view = applyRunEvent(view, verdict);
            }
          };
          let position = 0;
          for (const { back, skip, count, merged } of steps) {
            const from = Math.max(0, position - back) + skip;
            const events = log.slice(from, from + count);
            offer(merged ? merge(events) : events);
            position = last;
          }
          offer(merge(log));
          expect(last).toBe(log.length);
          expect(answerText(view?.parts ?? [])).toBe(text);
          expect(view?.status).toBe('completed');
        },
      ),
    );
  });
});

describe('the client over random faults', () => {
  const fault = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), n: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ kind: fc.constant('cut' as const), n: fc.integer({ min: 1, max: 5 }) }),
    fc.record({
      kind: fc.constant('close' as const),
      n: fc.constantFrom(1001, 1006, 1012, 4500, 4503, 4508),
    }),
    fc.record({ kind: fc.constant('repeat' as const), n: fc.nat(5) }),
    fc.record({ kind: fc.constant('lose' as const), n: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('wait' as const), n: fc.nat(30_000) }),
    fc.record({ kind: fc.constant('drain' as const), n: fc.nat(2_000) }),
    fc.record({ kind: fc.constant('freeze' as const), n: fc.nat(100) }),
    fc.record({ kind: fc.constant('throw' as const), n: fc.integer({ min: 1, max: 3 }) }),
  );

  it.each(['websocket', 'sse'] as const)(
    '[BR-4] applies everything once and in order over %s',
    async (transport) => {
      await fc.assert(
        fc.asyncProperty(fc.array(fault, { maxLength: 25 }), async (faults) => {
          await using h = createHarness({ start: 'beginning', transport, onHandlerError: 'retry' });
          const { clock, server } = h;
          let failures = 0;
          let failed = { seq: 0, times: 0 };
          h.client.onEvent(({ seq }) => {
            const times = failed.seq === seq ? failed.times + 1 : 1;
            // After more of one event the client stops, as it says.
            if (failures === 0 || times > 3) return;
            failures -= 1;
            failed = { seq, times };
            throw new Error('broken');
          });
          h.client.connect().catch(() => undefined);
          await clock.settle();
          for (const { kind, n } of faults) {
            const connection = server.open.at(-1);
            if (kind === 'append') server.append(...thoughts(n));
            else if (kind === 'throw') failures = n;
            else if (kind === 'cut') server.cutAfter = n;
            else if (kind === 'wait') await clock.advance(n);
            else if (connection === undefined) continue;
            else if (kind === 'close') connection.close(n);
            else if (kind === 'repeat') for (const event of server.log.slice(-n)) connection.event(event);
            else if (kind === 'freeze') connection.dead = true;
            else if (kind === 'drain') {
              connection.control({ type: 'server_draining', reconnectAfterMs: n, deadlineAtMs: 0 });
            } else if (connection.live) {
              connection.live = false;
              server.append(...thoughts(n));
              connection.live = true;
              connection.sent = server.head;
            }
          }
          server.cutAfter = undefined;
          failures = 0;
          await clock.advance(120_000);
          server.append(thinking('last'));
          await clock.advance(120_000);
          expect(seqs(h.applied)).toEqual(upTo(server.head));
          expect(h.client.state.kind).toBe('live');
          expect(server.last.acked).toBe(server.head);
        }),
        { numRuns: 150 },
      );
    },
    30_000,
  );
});

import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import type { EncodedEvent } from '@runwire/event-log';
import type { EventId, RunId, ThreadId } from '@runwire/id-generation';
import type { EventDraft, RunView, RunwireEvent } from '@runwire/protocol';
import { applyRunEvent, EVENT_CLASS, encodeEvent } from '@runwire/protocol';
import fc from 'fast-check';
import { createWake, packFrames } from '../src/frames.js';
import { mergePage } from '../src/merge.js';

const RUN = 'run_1';
const MAX = 16_384;

/** Puts drafts into the log's form, at consecutive `seq`. */
function encode(drafts: readonly EventDraft[], firstSeq = 1): readonly EncodedEvent[] {
  return drafts.map((draft, index) => {
    const seq = firstSeq + index;
    const id = `evt_${seq}` as EventId;
    const json = encodeEvent(draft, { seq, id, at: 1_000 + seq });
    return {
      seq,
      id,
      type: draft.type,
      class: EVENT_CLASS[draft.type],
      threadId: draft.threadId as ThreadId,
      runId: draft.runId as RunId,
      json,
      bytes: Buffer.byteLength(json),
    };
  });
}

const scope = { threadId: 'thr_1', runId: RUN };

function delta(text: string, offset: number, over: Record<string, unknown> = {}): EventDraft {
  const data = { messageId: 'm', part: 0, kind: 'text' as const, offset, text, ...over };
  return { type: 'agent_delta', ...scope, data };
}

function progress(percent: number): EventDraft {
  return { type: 'tool_progress', ...scope, data: { toolCallId: 't', percent } };
}

const thinking: EventDraft = { type: 'agent_thinking', ...scope, data: { agent: 'a', text: 'hm' } };
const parse = (events: readonly { readonly json: string }[]) =>
  events.map((event) => JSON.parse(event.json) as RunwireEvent);

describe('merging', () => {
  it('gives the result seq, id and at of the last, offset of the first and from of the first', () => {
    const merged = mergePage(encode([delta('ab', 0), delta('c', 2), delta('d', 3)], 5), MAX);
    expect(parse(merged)).toEqual([
      {
        type: 'agent_delta',
        seq: 7,
        id: 'evt_7',
        at: 1_007,
        from: 5,
        ...scope,
        data: { messageId: 'm', part: 0, kind: 'text', offset: 0, text: 'abcd' },
      },
    ]);
    expect(merged[0]).toMatchObject({ seq: 7, id: 'evt_7', bytes: Buffer.byteLength(merged[0]?.json ?? '') });
  });

  it('leaves single events as the log encoded them', () => {
    const events = encode([delta('a', 0), thinking, delta('b', 1)]);
    expect(mergePage(events, MAX)).toEqual(events);
  });

  it.each([
    ['message', { messageId: 'n' }],
    ['part', { part: 1 }],
    ['kind', { kind: 'reasoning' }],
    ['tool call', { toolCallId: 't' }],
  ])('keeps deltas of another %s apart', (_title, over) => {
    const events = encode([delta('a', 0), delta('b', 1, over)]);
    expect(mergePage(events, MAX)).toEqual(events);
  });

  it('keeps deltas of another run or thread, and those that do not follow on, apart', () => {
    for (const other of [
      { ...delta('b', 1), runId: 'run_2' },
      { ...delta('b', 1), threadId: 'thr_2' },
      delta('b', 2),
    ]) {
      const events = encode([delta('a', 0), other]);
      expect(mergePage(events, MAX)).toEqual(events);
    }
  });

  it('leaves an ephemeral event out only when a delta around it covers it', () => {
    const covered = parse(mergePage(encode([delta('a', 0), progress(1), progress(2), delta('b', 1)]), MAX));
    expect(covered.map(({ type, from, seq }) => [type, from, seq])).toEqual([['agent_delta', 1, 4]]);
    const kept = parse(mergePage(encode([progress(1), delta('a', 0), progress(2), thinking]), MAX));
    expect(kept.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  });

  it('always sends the last event', () => {
    const merged = parse(mergePage(encode([delta('a', 0), delta('b', 1), progress(1)]), MAX));
    expect(merged.map(({ type, seq }) => [type, seq])).toEqual([
      ['agent_delta', 2],
      ['tool_progress', 3],
    ]);
  });

  it('stops merging before an event grows beyond a frame', () => {
    const drafts = Array.from({ length: 100 }, (_, index) => delta('é\n'.repeat(300), index * 600));
    const merged = mergePage(encode(drafts), MAX);
    expect(merged.length).toBeGreaterThan(1);
    expect(merged.length).toBeLessThan(20);
    for (const event of merged) expect(event.bytes).toBeLessThanOrEqual(MAX);
  });

  it('covers each seq once, keeps durable events, and folds to the same answer', () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constant('delta'), text: fc.string({ unit: 'binary' }) }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('progress'), text: fc.constant('') }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('reasoning'), text: fc.string() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('tool'), text: fc.string() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('thinking'), text: fc.string() }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(300, 700, MAX), (steps, maxBytes) => {
        const events = encode(draftsOf(steps));
        const merged = mergePage(events, maxBytes);
        let covered = 0;
        for (const event of parse(merged)) {
          expect(event.from ?? event.seq).toBe(covered + 1);
          covered = event.seq;
        }
        expect(covered).toBe(events.length);
        const durable = events.filter((event) => event.class === 'durable').map((event) => event.json);
        const kept = new Set(merged.map((event) => event.json));
        expect(durable.every((json) => kept.has(json))).toBe(true);
        expect(merged.at(-1)?.id).toBe(events.at(-1)?.id);
        expect(fold(parse(merged))).toEqual(fold(parse(events)));
      }),
    );
  });
});

function draftsOf(steps: readonly { readonly kind: string; readonly text: string }[]): readonly EventDraft[] {
  const data = { agent: 'a', messageId: 'm', attempt: 1 };
  const drafts: EventDraft[] = [{ type: 'agent_started', ...scope, data }];
  const offsets = { delta: 0, reasoning: 0 };
  for (const { kind, text } of steps) {
    if (kind === 'delta') {
      drafts.push(delta(text, offsets.delta));
      offsets.delta += text.length;
    } else if (kind === 'reasoning') {
      drafts.push(delta(text, offsets.reasoning, { part: 1, kind: 'reasoning' }));
      offsets.reasoning += text.length;
    } else if (kind === 'progress') drafts.push(progress(drafts.length));
    else if (kind === 'tool') {
      drafts.push({ type: 'tool_executing', ...scope, data: { toolCallId: 't', tool: 'x', input: text } });
    } else drafts.push({ ...thinking, data: { agent: 'a', text } } as EventDraft);
  }
  return drafts;
}

/** The answer; progress is ephemeral and may be thinned out. */
function fold(events: readonly RunwireEvent[]): RunView | undefined {
  let view: RunView | undefined;
  for (const event of events) if (event.type !== 'tool_progress') view = applyRunEvent(view, event);
  return view;
}

describe('frames', () => {
  const event = (seq: number, bytes: number) => ({ seq, id: `e${seq}`, json: 'x'.repeat(bytes), bytes });

  it('hold at most so many bytes of events, or one larger event alone', () => {
    const frames = packFrames([event(1, 6), event(2, 4), event(3, 1), event(4, 11), event(5, 10)], 10);
    expect(frames.map((frame) => [frame.seq, frame.id, frame.data.byteLength])).toEqual([
      [2, 'e2', 13],
      [3, 'e3', 1],
      [4, 'e4', 11],
      [5, 'e5', 10],
    ]);
  });

  it('are encoded once, and not before they are asked for', () => {
    const wake = createWake({ epoch: 'e', events: encode([thinking, progress(1)], 8) }, MAX);
    expect(wake).toMatchObject({ epoch: 'e', firstSeq: 8, lastSeq: 9 });
    const frames = wake?.frames();
    expect(wake?.frames()).toBe(frames);
    const bytes = frames?.reduce((sum, frame) => sum + frame.data.byteLength, 0) ?? 0;
    expect(wake?.bytes).toBeGreaterThanOrEqual(bytes);
  });
});

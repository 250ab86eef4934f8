import { Buffer } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import type { EncodedEvent } from '@runwire/event-log';
import type { EventId, RunId, ThreadId } from '@runwire/id-generation';
import type { EventDraft, RunView, RunwireEvent } from '@runwire/protocol';
import { applyRunEvent, EVENT_CLASS, encodeEvent } from '@runwire/protocol';
import fc from 'fast-check';
import type { SendableEvent } from '../src/frames.js';
import { packFrames, packLines, Wake } from '../src/frames.js';
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

function progress(percent: number, toolCallId = 't', runId = RUN): EventDraft {
  return { type: 'tool_progress', ...scope, runId, data: { toolCallId, percent } };
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

  it('leaves ephemeral events out between deltas that merge, and the result covers them', () => {
    const covered = mergePage(encode([delta('a', 0), progress(1), progress(2), delta('b', 1)]), MAX);
    expect(spans(covered)).toEqual(['agent_delta 1-4']);
  });

  it('keeps ephemeral events between deltas that do not merge', () => {
    const events = encode([delta('a', 0), progress(1), delta('b', 0, { part: 1 })]);
    expect(mergePage(events, MAX)).toEqual(events);
  });

  it('leaves progress out when newer progress of the same tool call follows, which covers it by from', () => {
    const merged = mergePage(encode([thinking, progress(1), progress(2), progress(3), thinking], 5), MAX);
    expect(spans(merged)).toEqual(['agent_thinking 5-5', 'tool_progress 6-8', 'agent_thinking 9-9']);
    expect(parse(merged)[1]).toEqual({
      type: 'tool_progress',
      seq: 8,
      id: 'evt_8',
      at: 1_008,
      from: 6,
      ...scope,
      data: { toolCallId: 't', percent: 3 },
    });
    expect(merged[1]?.bytes).toBe(Buffer.byteLength(merged[1]?.json ?? ''));
  });

  it('keeps the newest progress of each tool call, and of equally named calls of each run', () => {
    const page = [progress(1, 'a'), progress(2, 'b'), progress(3, 'a'), progress(4, 'a', 'run_2')];
    expect(spans(mergePage(encode([...page, progress(5, 'b')]), MAX))).toEqual([
      'tool_progress 1-3',
      'tool_progress 4-4',
      'tool_progress 5-5',
    ]);
  });

  it.each([
    ['a durable event', thinking],
    ['a delta', delta('x', 0)],
  ])('keeps progress on both sides of %s, which covers itself alone', (_title, between) => {
    const events = encode([progress(1), between, progress(2)]);
    expect(mergePage(events, MAX)).toEqual(events);
  });

  it('leaves a single ephemeral event, and one that nothing covers, as the log encoded it', () => {
    const [first, second] = encode([progress(1, 'a'), progress(2, 'b')]);
    expect(mergePage(encode([progress(1, 'a'), progress(2, 'b')]), MAX)).toEqual([first, second]);
    expect(mergePage([], MAX)).toEqual([]);
  });

  it('always sends the last event', () => {
    const merged = mergePage(encode([delta('a', 0), delta('b', 1), progress(1), progress(2)]), MAX);
    expect(spans(merged)).toEqual(['agent_delta 1-2', 'tool_progress 3-4']);
    expect(merged.at(-1)).toMatchObject({ seq: 4, id: 'evt_4' });
  });

  it('stops merging before an event grows beyond a frame', () => {
    const drafts = Array.from({ length: 100 }, (_, index) => delta('é\n'.repeat(300), index * 600));
    const merged = mergePage(encode(drafts), MAX);
    expect(merged.length).toBeGreaterThan(1);
    expect(merged.length).toBeLessThan(20);
    for (const event of merged) expect(event.bytes).toBeLessThanOrEqual(MAX);
  });

  it('covers each seq once, keeps durable events, and folds to the same answer, cut anywhere', () => {
    let leftOut = 0;
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60, size: 'max' }),
        fc.array(fc.nat(60), { maxLength: 3 }),
        fc.constantFrom(300, 700, MAX),
        (steps, cuts, maxBytes) => {
          const events = encode(draftsOf(steps));
          const merged = pagesOf(events, cuts).flatMap((page) => checkedMerge(page, maxBytes));
          expect(answerOf(parse(merged))).toEqual(answerOf(parse(events)));
          leftOut += events.length - merged.length;
        },
      ),
    );
    // The pages do contain what is left out.
    expect(leftOut).toBeGreaterThan(100);
  });

  it('shows the newest progress of each call, as far as no delta covers it', () => {
    const noDeltas = step.filter(({ kind }) => kind !== 'delta' && kind !== 'reasoning');
    fc.assert(
      fc.property(fc.array(noDeltas, { maxLength: 40, size: 'max' }), (steps) => {
        const events = encode(draftsOf(steps));
        expect(fold(parse(checkedMerge(events, MAX)))).toEqual(fold(parse(events)));
      }),
    );
  });
});

const TOOLS = ['t', 'u'] as const;
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('delta'), text: fc.string({ unit: 'binary' }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom(...TOOLS), text: fc.constantFrom('', 'on the way') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('reasoning', 'begin t', 'begin u', 'end t', 'end u', 'thinking', 'other run'),
      text: fc.string(),
    }),
  },
);

function draftsOf(steps: readonly { readonly kind: string; readonly text: string }[]): readonly EventDraft[] {
  const data = { agent: 'a', messageId: 'm', attempt: 1 };
  const drafts: EventDraft[] = [{ type: 'agent_started', ...scope, data }];
  const offsets = { delta: 0, reasoning: 0 };
  for (const { kind, text } of steps) {
    const toolCallId = kind.slice(-1);
    if (kind === 'delta') {
      drafts.push(delta(text, offsets.delta));
      offsets.delta += text.length;
    } else if (kind === 'reasoning') {
      drafts.push(delta(text, offsets.reasoning, { part: 1, kind: 'reasoning' }));
      offsets.reasoning += text.length;
    } else if (kind === 't' || kind === 'u') {
      const progressed = progress(drafts.length % 100, kind);
      drafts.push(progressed);
    } else if (kind === 'other run') {
      drafts.push(progress(1, 't', 'run_2'));
    } else if (kind.startsWith('begin')) {
      drafts.push({ type: 'tool_executing', ...scope, data: { toolCallId, tool: 'x', input: text } });
    } else if (kind.startsWith('end')) {
      const end = { toolCallId, tool: 'x', status: 'success', output: text, durationMs: 1 } as const;
      drafts.push({ type: 'tool_completed', ...scope, data: end });
    } else drafts.push({ ...thinking, data: { agent: 'a', text } } as EventDraft);
  }
  return drafts;
}

/** The events in pages that end behind the cuts. */
function pagesOf(
  events: readonly EncodedEvent[],
  cuts: readonly number[],
): readonly (readonly EncodedEvent[])[] {
  const ends = [...cuts.filter((cut) => cut < events.length).sort((a, b) => a - b), events.length];
  return ends.map((end, index) => events.slice(index === 0 ? 0 : ends[index - 1], end));
}

/** Merges a page and checks what must hold of every merged page. */
function checkedMerge(events: readonly EncodedEvent[], maxBytes: number): readonly SendableEvent[] {
  const merged = mergePage(events, maxBytes);
  // With the lines at hand the same, only sooner.
  const lines = Buffer.from(events.map(({ json }) => json).join('\n'));
  expect(mergePage(events, maxBytes, lines)).toEqual(merged);
  let covered = (events[0]?.seq ?? 1) - 1;
  for (const event of parse(merged)) {
    expect(event.from ?? event.seq).toBe(covered + 1);
    covered = event.seq;
  }
  expect(covered).toBe(events.at(-1)?.seq ?? covered);
  expect(merged.at(-1)?.id).toBe(events.at(-1)?.id);
  const durable = events.filter((event) => event.class === 'durable').map((event) => event.json);
  const sent = new Set(merged.map((event) => event.json));
  expect(durable.every((json) => sent.has(json))).toBe(true);
  for (const { json, bytes } of merged) expect(bytes).toBe(Buffer.byteLength(json));
  return merged;
}

/** The types of events, with what they cover. */
function spans(events: readonly SendableEvent[]): readonly string[] {
  return parse(events).map(({ type, from, seq }) => `${type} ${from ?? seq}-${seq}`);
}

function fold(events: readonly RunwireEvent[]): RunView | undefined {
  let view: RunView | undefined;
  for (const event of events) view = applyRunEvent(view, event);
  return view;
}

/** The view without what is ephemeral in it. */
function answerOf(events: readonly RunwireEvent[]): RunView | undefined {
  return fold(events.filter(({ type }) => type !== 'tool_progress'));
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

  it('are the same from lines that are at hand', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(fc.array(text), fc.integer({ min: 50, max: 1_000 }), (texts, maxFrameBytes) => {
        const drafts = texts.map((said) => delta(said, 0));
        const events = encode(drafts);
        const bytes = Buffer.from(events.map(({ json }) => json).join('\n'));
        const lines = { bytes, sizes: events.map((event) => event.bytes) };
        const frames = packLines(lines, maxFrameBytes, (index) => ({
          seq: events[index]?.seq ?? 0,
          id: events[index]?.id,
        }));
        expect(frames.map(({ data, ...rest }) => ({ text: Buffer.from(data).toString(), ...rest }))).toEqual(
          packFrames(events, maxFrameBytes).map(({ data, ...rest }) => ({
            text: Buffer.from(data).toString(),
            ...rest,
          })),
        );
      }),
    );
  });

  it('are encoded once, and not before they are asked for', () => {
    const events = encode([thinking, progress(1)], 8);
    const lastId = events[1]?.id ?? ('' as EventId);
    const wake = new Wake({ epoch: 'e', firstSeq: 8, lastSeq: 9, lastId, events }, MAX);
    expect(wake).toMatchObject({ epoch: 'e', firstSeq: 8, lastSeq: 9 });
    const frames = wake?.frames();
    expect(wake?.frames()).toBe(frames);
    const bytes = frames?.reduce((sum, frame) => sum + frame.data.byteLength, 0) ?? 0;
    expect(wake?.bytes).toBeGreaterThanOrEqual(bytes);
  });
});

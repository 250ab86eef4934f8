import { describe, expect, it } from '@jest/globals';
import {
  type AnswerPart,
  answerText,
  applyRunEvent,
  type EventData,
  type RunEventType,
  type RunView,
  type RunwireEvent,
  type RunwireEventOf,
} from '../src/index.js';

function event<T extends RunEventType>(type: T, data: EventData<T>, runId = 'run_1'): RunwireEvent {
  return { type, seq: 1, id: 'evt_1', at: 1_000, threadId: 'thr_1', runId, data } as RunwireEventOf<T>;
}

const started = (attempt = 1) =>
  event('agent_started', { agent: 'demo', messageId: `msg_${attempt}`, attempt });
const delta = (offset: number, text: string, fields: Partial<EventData<'agent_delta'>> = {}) =>
  event('agent_delta', { messageId: 'msg_1', part: 0, kind: 'text', offset, text, ...fields });
const thinking = (text: string) => event('agent_thinking', { agent: 'demo', text });
const executing = (toolCallId: string) => event('tool_executing', { toolCallId, tool: 'sum', input: [2, 3] });
const progress = (toolCallId: string, percent: number) => event('tool_progress', { toolCallId, percent });
const completed = (toolCallId: string, output: unknown = 5) =>
  event('tool_completed', { toolCallId, tool: 'sum', status: 'success', output, durationMs: 3 });
const ended = (fields: Partial<EventData<'agent_completed'>> = {}) =>
  event('agent_completed', {
    agent: 'demo',
    messageId: 'msg_1',
    status: 'completed',
    durationMs: 9,
    ...fields,
  });

function fold(...events: RunwireEvent[]): RunView | undefined {
  return events.reduce<RunView | undefined>(applyRunEvent, undefined);
}

function partsOf(...events: RunwireEvent[]): readonly AnswerPart[] | undefined {
  return fold(started(), ...events)?.parts;
}

describe('a run', () => {
  it('begins with agent_started and not before', () => {
    expect(fold(delta(0, 'a'), thinking('x'), ended())).toBeUndefined();
    expect(fold(started())).toEqual({
      runId: 'run_1',
      threadId: 'thr_1',
      agent: 'demo',
      messageId: 'msg_1',
      attempt: 1,
      status: 'running',
      parts: [],
      startedAtMs: 1_000,
    });
  });

  it('is replaced by a higher attempt and by no other', () => {
    const first = fold(started(), delta(0, 'lost'));
    const second = fold(started(), delta(0, 'lost'), started(2));
    expect(second).toMatchObject({ attempt: 2, messageId: 'msg_2', parts: [] });
    for (const repeat of [started(1)]) expect(first && applyRunEvent(first, repeat)).toBe(first);
    for (const late of [started(1), delta(4, '!'), ended()]) expect(applyRunEvent(second, late)).toBe(second);
  });

  it('ends with what its end says, and nothing happens to it afterwards', () => {
    const error = { code: 'AGENT_FAILED', message: 'The agent failed.' };
    const end = fold(
      started(),
      delta(0, 'a'),
      ended({ status: 'failed', error, result: 'a', resultUrl: '/r' }),
    );
    expect(end).toMatchObject({ status: 'failed', error, result: 'a', resultUrl: '/r', durationMs: 9 });
    const late = [started(2), delta(1, 'b'), thinking('x'), executing('t'), completed('t'), ended()];
    for (const one of late) expect(applyRunEvent(end, one)).toBe(end);
  });

  it('knows only its own events', () => {
    const view = fold(started());
    const foreign = [
      event('agent_started', { agent: 'demo', messageId: 'msg_9', attempt: 9 }, 'run_2'),
      event('agent_thinking', { agent: 'demo', text: 'x' }, 'run_2'),
      { type: 'erased', seq: 2, id: 'evt_2', at: 1, data: {} } as const,
      { type: 'thread_updated', seq: 3, id: 'evt_3', at: 1, threadId: 'thr_1', data: {} } as const,
      { ...started(), type: 'of_a_newer_server' } as unknown as RunwireEvent,
      event('approval_required', { toolCallId: 't', tool: 'x', input: 1, expiresAtMs: 2 }),
    ];
    for (const one of foreign) expect(applyRunEvent(view, one)).toBe(view);
  });
});

describe('the parts of an answer', () => {
  it('appear in the order of their first appearance, each kind and label apart', () => {
    const parts = partsOf(
      thinking('Step'),
      delta(0, 'why', { kind: 'reasoning' }),
      delta(0, 'B', { part: 7 }),
      delta(0, 'A'),
      delta(1, 'b', { part: 7 }),
      event('agent_error', { code: 'TOOL_FAILED', message: 'Oh.', recoverable: true }),
    );
    expect(parts).toEqual([
      { type: 'thinking', text: 'Step' },
      { type: 'reasoning', part: 0, text: 'why' },
      { type: 'text', part: 7, text: 'Bb' },
      { type: 'text', part: 0, text: 'A' },
      { type: 'problem', code: 'TOOL_FAILED', message: 'Oh.' },
    ]);
    expect(answerText(parts ?? [])).toBe('BbA');
  });

  it('keep the step of a thought', () => {
    const step = event('agent_thinking', { agent: 'demo', text: 'x', step: 1, totalSteps: 2 });
    expect(partsOf(step)).toEqual([{ type: 'thinking', text: 'x', step: 1, totalSteps: 2 }]);
  });

  it.each([
    ['a repeated delta', [delta(0, 'abc'), delta(0, 'abc')], 'abc'],
    ['a delta wholly known', [delta(0, 'abc'), delta(1, 'b')], 'abc'],
    ['an overlapping delta', [delta(0, 'abc'), delta(1, 'bcd')], 'abcd'],
    ['an overlap inside a surrogate pair', [delta(0, 'a\ud83d'), delta(1, '👋!')], 'a👋!'],
    ['a delta beyond what is known', [delta(0, 'abc'), delta(5, 'x')], 'abc'],
    ['a first delta that is not the beginning', [delta(2, 'x'), delta(0, 'a')], 'a'],
    ['an empty delta', [delta(0, ''), delta(0, 'a')], 'a'],
    ['the input of a tool', [delta(0, 'a'), delta(1, '{', { kind: 'tool_input' })], 'a'],
    ['another message', [delta(0, 'a'), delta(1, 'b', { messageId: 'msg_0' })], 'a'],
  ])('%s adds only what is new', (_name, deltas, text) => {
    expect(answerText(partsOf(...deltas) ?? [])).toBe(text);
    expect(partsOf(...deltas)).toHaveLength(1);
  });
});

describe('a tool call', () => {
  it('runs, tells of its progress and ends', () => {
    const running = { type: 'tool', toolCallId: 't', tool: 'sum', input: [2, 3], status: 'running' };
    expect(partsOf(executing('t'))).toEqual([running]);
    expect(partsOf(executing('t'), progress('t', 10), progress('t', 50))).toEqual([
      { ...running, progress: { percent: 50 } },
    ]);
    expect(partsOf(executing('t'), progress('t', 50), completed('t'))).toEqual([
      { ...running, status: 'success', output: 5, durationMs: 3 },
    ]);
  });

  it('stays ended, whatever is repeated', () => {
    const view = fold(started(), executing('t'), completed('t'));
    for (const late of [executing('t'), progress('t', 1), completed('t', 6)]) {
      expect(applyRunEvent(view, late)).toBe(view);
    }
  });

  it('that never began is there with its end, and has no progress before it began', () => {
    expect(partsOf(progress('t', 1))).toEqual([]);
    expect(partsOf(completed('t'))).toMatchObject([{ toolCallId: 't', input: null, status: 'success' }]);
  });

  it('left open by a process that died is cancelled by the end of the run', () => {
    const parts = [executing('a'), completed('a'), executing('b'), progress('b', 1)];
    const end = fold(started(), ...parts, ended({ status: 'interrupted' }));
    expect(end?.parts).toMatchObject([{ status: 'success' }, { toolCallId: 'b', status: 'cancelled' }]);
    expect(end?.parts[1]).not.toHaveProperty('progress');
  });
});

describe('the fold', () => {
  it('changes nothing it was given and shares what it does not touch', () => {
    const before = deepFrozen(fold(started(), delta(0, 'a'), executing('t')));
    const after = applyRunEvent(before, completed('t'));
    expect(after).not.toBe(before);
    expect(after?.parts[0]).toBe(before?.parts[0]);
    expect(before?.parts[1]).toMatchObject({ status: 'running' });
    for (const one of [delta(1, 'b'), thinking('x'), progress('t', 1), ended(), started(2)]) {
      expect(() => applyRunEvent(before, one)).not.toThrow();
    }
  });
});

function deepFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(deepFrozen);
  return value;
}

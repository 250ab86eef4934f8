import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  answerText,
  applyRunEvent,
  type RunView,
  type RunwireEvent,
  type RunwireEventOf,
} from '../src/index.js';

type Delta = RunwireEventOf<'agent_delta'>;

const envelope = { seq: 1, id: 'evt_1', at: 1, threadId: 'thr_1', runId: 'run_1' };
const START: RunwireEvent = {
  ...envelope,
  type: 'agent_started',
  data: { agent: 'demo', messageId: 'msg_1', attempt: 1 },
};
const END: RunwireEvent = {
  ...envelope,
  type: 'agent_completed',
  data: { agent: 'demo', messageId: 'msg_1', status: 'completed', durationMs: 1 },
};

/** One thing a run does; a delta gets its offset from what came before. */
type Step =
  | { readonly do: 'text'; readonly kind: 'text' | 'reasoning'; readonly part: number; readonly text: string }
  | { readonly do: 'thinking'; readonly text: string }
  | { readonly do: 'tool'; readonly toolCallId: string; readonly stage: 'begin' | 'end' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('text' as const),
      kind: fc.constantFrom('text' as const, 'reasoning' as const),
      part: fc.nat(1),
      text: fc.string({ unit: 'binary', maxLength: 8 }),
    }),
  },
  fc.record({ do: fc.constant('thinking' as const), text: fc.string({ maxLength: 4 }) }),
  fc.record({
    do: fc.constant('tool' as const),
    toolCallId: fc.constantFrom('t1', 't2'),
    stage: fc.constantFrom('begin' as const, 'end' as const),
  }),
);

function emitted(steps: readonly Step[]): readonly RunwireEvent[] {
  const lengths = new Map<string, number>();
  const events = steps.map((one): RunwireEvent => {
    if (one.do === 'thinking') {
      return { ...envelope, type: 'agent_thinking', data: { agent: 'demo', text: one.text } };
    }
    if (one.do === 'tool') {
      const { toolCallId, stage } = one;
      const call = { toolCallId, tool: 'sum' };
      if (stage === 'begin') return { ...envelope, type: 'tool_executing', data: { ...call, input: 1 } };
      return { ...envelope, type: 'tool_completed', data: { ...call, status: 'success', durationMs: 1 } };
    }
    const key = `${one.kind}:${one.part}`;
    const offset = lengths.get(key) ?? 0;
    lengths.set(key, offset + one.text.length);
    return deltaOf(one.kind, one.part, offset, one.text);
  });
  return [START, ...events, END];
}

function deltaOf(kind: Delta['data']['kind'], part: number, offset: number, text: string): Delta {
  return { ...envelope, type: 'agent_delta', data: { messageId: 'msg_1', part, kind, offset, text } };
}

function fold(events: readonly RunwireEvent[]): RunView | undefined {
  return events.reduce<RunView | undefined>(applyRunEvent, undefined);
}

/** Merges runs of neighbouring deltas of one part, where `choose` says so. */
function merged(events: readonly RunwireEvent[], choose: () => boolean): readonly RunwireEvent[] {
  const out: RunwireEvent[] = [];
  for (const event of events) {
    const last = out.at(-1);
    const joins = event.type === 'agent_delta' && last?.type === 'agent_delta' && samePart(last, event);
    if (!joins || !choose()) out.push(event);
    else {
      const { kind, part, offset, text } = last.data;
      out[out.length - 1] = deltaOf(kind, part, offset, text + event.data.text);
    }
  }
  return out;
}

function samePart(a: Delta, b: Delta): boolean {
  return a.data.kind === b.data.kind && a.data.part === b.data.part;
}

/** Cuts deltas in two, anywhere, even inside a surrogate pair. */
function split(events: readonly RunwireEvent[], cutAt: () => number): readonly RunwireEvent[] {
  return events.flatMap((event): readonly RunwireEvent[] => {
    if (event.type !== 'agent_delta') return [event];
    const { kind, part, offset, text } = event.data;
    const cut = cutAt() % (text.length + 1);
    return [
      deltaOf(kind, part, offset, text.slice(0, cut)),
      deltaOf(kind, part, offset + cut, text.slice(cut)),
    ];
  });
}

/** Lets deltas begin earlier, with text that is already known. */
function overlapped(events: readonly RunwireEvent[], by: () => number): readonly RunwireEvent[] {
  const texts = new Map<string, string>();
  return events.map((event) => {
    if (event.type !== 'agent_delta') return event;
    const { kind, part, offset, text } = event.data;
    const key = `${kind}:${part}`;
    const whole = (texts.get(key) ?? '') + text;
    texts.set(key, whole);
    const from = Math.max(0, offset - by());
    return deltaOf(kind, part, from, whole.slice(from));
  });
}

/** Delivers again, after some events, one of those before; steps in words are known by `seq` alone. */
function repeated(events: readonly RunwireEvent[], pick: () => number): readonly RunwireEvent[] {
  return events.flatMap((event, index) => {
    const again = events[pick() % (index + 1)];
    return again === undefined || again.type === 'agent_thinking' ? [event] : [event, again];
  });
}

const someSteps = fc.array(step, { maxLength: 25 });
const RUNS = { numRuns: 500 };

describe('the view of a run', () => {
  it('is the same however its deltas are merged, split, overlapped and repeated on the way', () => {
    fc.assert(
      fc.property(someSteps, fc.infiniteStream(fc.nat(9)), (steps, numbers) => {
        const next = () => numbers.next().value;
        const events = emitted(steps);
        const expected = fold(events);
        const delivered = [
          merged(events, () => next() < 5),
          split(events, next),
          overlapped(events, next),
          repeated(events, next),
          repeated(
            overlapped(
              split(
                merged(events, () => next() < 5),
                next,
              ),
              next,
            ),
            next,
          ),
        ];
        for (const delivery of delivered) expect(fold(delivery)).toEqual(expected);
      }),
      RUNS,
    );
  });

  it('has every text whole', () => {
    fc.assert(
      fc.property(someSteps, (steps) => {
        const view = fold(emitted(steps));
        for (const kind of ['text', 'reasoning'] as const) {
          for (const part of [0, 1]) {
            const wanted = steps.map((one) =>
              one.do === 'text' && one.kind === kind && one.part === part ? one.text : '',
            );
            const found = view?.parts.find((one) => one.type === kind && 'part' in one && one.part === part);
            expect(found !== undefined && 'text' in found ? found.text : '').toBe(wanted.join(''));
          }
        }
        expect(answerText(view?.parts ?? []).length).toBe(
          steps.reduce(
            (sum, one) => sum + (one.do === 'text' && one.kind === 'text' ? one.text.length : 0),
            0,
          ),
        );
      }),
      RUNS,
    );
  });

  it('is the same after a suffix is delivered twice, as a snapshot ahead of its cursor does', () => {
    fc.assert(
      fc.property(someSteps, fc.nat(), (steps, from) => {
        const events = emitted(steps).filter((event) => event.type !== 'agent_thinking');
        const again = events.slice(from % events.length);
        expect(fold([...events, ...again])).toEqual(fold(events));
        const open = events.slice(0, -1);
        expect(fold([...open, ...open.slice(from % events.length)])).toEqual(fold(open));
      }),
      RUNS,
    );
  });
});

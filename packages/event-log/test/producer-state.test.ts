import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { REMEMBERED_APPENDS } from '../src/append-results.js';
import type { AppendResult, Producer } from '../src/index.js';
import {
  advanceProducer,
  concludeProducer,
  decideProducer,
  type ProducerState,
} from '../src/producer-state.js';

const resultAt = (seq: number): AppendResult => ({
  epoch: 'e',
  firstSeq: seq,
  lastSeq: seq,
  lastId: `evt_${String(seq).padStart(22, '0')}` as AppendResult['lastId'],
  duplicate: false,
});

function stateAfter(attempt: number, appends: number): ProducerState {
  let state: ProducerState | undefined;
  for (let n = 1; n <= appends; n += 1) {
    state = advanceProducer(state, { id: 'p', attempt, n }, resultAt(100 + n));
  }
  if (state === undefined) throw new RangeError('at least one append');
  return state;
}

describe('decideProducer', () => {
  it.each([
    [1, 1, 'append'],
    [7, 1, 'append'],
    [1, 2, 'gap'],
    [1, 0, 'gap'],
    [1, Number.NaN, 'gap'],
    [0, 1, 'fenced'],
    [Number.NaN, 1, 'fenced'],
  ])('of an unknown producer with attempt %d and n %d is %s', (attempt, n, kind) => {
    expect(decideProducer(undefined, { id: 'p', attempt, n }).kind).toBe(kind);
  });

  it.each([
    [2, 4, { kind: 'append' }],
    [2, 5, { kind: 'gap', expected: 4 }],
    [2, 0, { kind: 'gap', expected: 4 }],
    [2, -1, { kind: 'gap', expected: 4 }],
    [2, 2.5, { kind: 'gap', expected: 4 }],
    [2, Number.NaN, { kind: 'gap', expected: 4 }],
    [2, 3, { kind: 'duplicate', result: { ...resultAt(103), duplicate: true } }],
    [2, 1, { kind: 'duplicate', result: { ...resultAt(101), duplicate: true } }],
    [3, 1, { kind: 'append' }],
    [9, 1, { kind: 'append' }],
    [3, 2, { kind: 'gap', expected: 1 }],
    [3, 4, { kind: 'gap', expected: 1 }],
    [1, 1, { kind: 'fenced', attempt: 2 }],
    [1, 4, { kind: 'fenced', attempt: 2 }],
    [2.5, 1, { kind: 'fenced', attempt: 2 }],
  ])('after three appends of attempt 2, attempt %d with n %d is %j', (attempt, n, decision) => {
    expect(decideProducer(stateAfter(2, 3), { id: 'p', attempt, n })).toEqual(decision);
  });

  it('refuses a repeat that is older than what is remembered, and remembers a bounded number', () => {
    const state = stateAfter(1, 1_000);
    expect(state.results.places().length).toBeLessThan(2 * REMEMBERED_APPENDS);
    expect(decideProducer(state, { id: 'p', attempt: 1, n: 1 })).toEqual({ kind: 'gap', expected: 1_001 });
  });

  it('remembers the last 64 appends, however many there were', () => {
    for (let appends = REMEMBERED_APPENDS; appends <= 4 * REMEMBERED_APPENDS; appends += 1) {
      const n = appends - REMEMBERED_APPENDS + 1;
      const decision = decideProducer(stateAfter(1, appends), { id: 'p', attempt: 1, n });
      expect(decision).toEqual({ kind: 'duplicate', result: { ...resultAt(100 + n), duplicate: true } });
    }
  });

  it('remembers the last append alone once the producer is concluded', () => {
    const state = stateAfter(1, 5);
    concludeProducer(state);
    expect(decideProducer(state, { id: 'p', attempt: 1, n: 5 }).kind).toBe('duplicate');
    expect(decideProducer(state, { id: 'p', attempt: 1, n: 4 }).kind).toBe('gap');
    expect(decideProducer(state, { id: 'p', attempt: 1, n: 6 }).kind).toBe('append');
  });

  it('agrees with a model that keeps everything', () => {
    const producer = fc.record({
      id: fc.constant('p'),
      attempt: fc.nat(4),
      n: fc.integer({ min: -1, max: 90 }),
    });
    // Mostly the next in line, so that runs get long.
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant('next' as const) },
      { weight: 1, arbitrary: producer },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        let state: ProducerState | undefined;
        let attempt = 0;
        let results: AppendResult[] = [];
        steps.forEach((each, index) => {
          const next = { id: 'p', attempt: Math.max(attempt, 1), n: results.length + 1 };
          const asked: Producer = each === 'next' ? next : each;
          const decision = decideProducer(state, asked);
          expect(modelOf(asked, attempt, results.length)).toContain(decision.kind);
          if (decision.kind === 'duplicate') {
            expect(decision.result).toEqual({ ...results[asked.n - 1], duplicate: true });
          }
          if (decision.kind !== 'append') return;
          if (asked.attempt > attempt) results = [];
          attempt = asked.attempt;
          results.push(resultAt(index));
          state = advanceProducer(state, asked, resultAt(index));
        });
      }),
    );
  });
});

/** What must be decided; of a repeat that may be forgotten, either. */
function modelOf({ attempt, n }: Producer, seen: number, appended: number): string[] {
  if (attempt < Math.max(seen, 1)) return ['fenced'];
  const known = attempt === seen ? appended : 0;
  if (n === known + 1) return ['append'];
  if (n < 1 || n > known) return ['gap'];
  return n > known - REMEMBERED_APPENDS ? ['duplicate'] : ['duplicate', 'gap'];
}

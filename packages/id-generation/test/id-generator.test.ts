import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '@runwire/kernel/testing';
import fc from 'fast-check';
import type { IdGenerator, RunId, ThreadId } from '../src/index.js';
import { createIdGenerator, isRunOf, parseId } from '../src/index.js';
import { IdSequence } from '../src/sequence.js';

const START_MS = Date.UTC(2026, 0, 1);

/** A source that gives the same numbers each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe('createIdGenerator', () => {
  it('[ID-2] makes an id of each kind: prefix, 9 digits of time, 8 of node, 5 of counter', () => {
    const ids = createIdGenerator({ clock: createManualClock(START_MS), random: seeded(7) });
    const time = START_MS.toString(36).padStart(9, '0');
    expect(ids.userId()).toMatch(new RegExp(`^usr_${time}[0-9a-z]{8}00000$`));
    expect(ids.threadId()).toMatch(new RegExp(`^thr_${time}[0-9a-z]{8}00001$`));
    expect(ids.requestId()).toMatch(new RegExp(`^req_${time}[0-9a-z]{8}00002$`));
    expect(ids.connectionId()).toMatch(new RegExp(`^con_${time}[0-9a-z]{8}00003$`));
    expect(ids.messageId()).toMatch(new RegExp(`^msg_${time}[0-9a-z]{8}00004$`));
    expect(ids.eventId()).toMatch(new RegExp(`^evt_${time}[0-9a-z]{8}00005$`));
    expect(ids.toolCallId()).toMatch(new RegExp(`^tcl_${time}[0-9a-z]{8}00006$`));
    expect(ids.sessionId()).toMatch(new RegExp(`^ses_${time}[0-9a-z]{8}00007$`));
  });

  it('pins one id of each form, because ids are stored', () => {
    const ids = createIdGenerator({ clock: createManualClock(START_MS), random: seeded(7) });
    const threadId = ids.threadId();
    expect([threadId, ids.runId(threadId)]).toEqual([
      'thr_0mjuohs00ojgdfvi800000',
      'run_0mjuohs00ojgdfvi800001_0mjuohs00ojgdfvi800000',
    ]);
  });

  it('repeats itself from the same source of randomness and differs from another', () => {
    const make = (seed: number) =>
      createIdGenerator({ clock: createManualClock(START_MS), random: seeded(seed) }).eventId();
    expect(make(3)).toBe(make(3));
    expect(make(3)).not.toBe(make(4));
  });

  it('takes any source of randomness, also one that always gives the same number', () => {
    for (const constant of [0, 0.5, 0.999_999, 1, Number.NaN]) {
      const ids = createIdGenerator({ clock: createManualClock(START_MS), random: () => constant });
      expect(parseId(ids.eventId()).kind).toBe('event');
    }
  });

  it('differs from another generator of the same instant without a given source', () => {
    const clock = createManualClock(START_MS);
    const nodes = Array.from({ length: 100 }, () => createIdGenerator({ clock }).eventId());
    expect(new Set(nodes).size).toBe(100);
  });

  it('[ID-2] keeps kinds apart at compile time', () => {
    const ids = createIdGenerator({ clock: createManualClock() });
    const run: RunId = ids.runId(ids.threadId());
    // @ts-expect-error a run id is no thread id
    const wrong: ThreadId = run;
    // @ts-expect-error a text is no thread id
    const untyped: ThreadId = 'thr_';
    expect(wrong).toBe(run);
    expect(untyped).toBe('thr_');
    expect(isRunOf(run, run)).toBe(false);
  });

  it('[ID-3] refuses to make a run of what is no thread', () => {
    const ids = createIdGenerator({ clock: createManualClock() });
    expect(() => ids.runId(ids.userId() as never)).toThrow(expect.objectContaining({ code: 'WRONG_KIND' }));
    expect(() => ids.runId('thr_1' as never)).toThrow(expect.objectContaining({ code: 'INVALID_ID' }));
  });

  it('cannot be changed by whoever holds it', () => {
    const ids: IdGenerator = createIdGenerator({ clock: createManualClock() });
    expect(Object.isFrozen(ids)).toBe(true);
  });

  it('property: never repeats or falls back, whatever the wall clock does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -100_000, max: 100_000 }), fc.integer({ min: 1, max: 50 })), {
          maxLength: 30,
        }),
        (jumps) => {
          const clock = createManualClock(START_MS);
          const ids = createIdGenerator({ clock });
          const made: string[] = [];
          for (const [jumpMs, count] of jumps) {
            clock.jumpWallClock(jumpMs);
            for (let n = 0; n < count; n += 1) made.push(ids.eventId());
          }
          expect(made).toEqual([...new Set(made)].sort());
        },
      ),
    );
  });
});

describe('IdSequence', () => {
  it('moves the time on by one when the counter is used up within a millisecond', () => {
    const clock = createManualClock(START_MS);
    const sequence = new IdSequence(clock, 'nnnnnnnn', 36 ** 2 + 2);
    const made = Array.from({ length: 2 * (36 ** 2 + 2) }, () => sequence.next());
    const [time, next] = [START_MS, START_MS + 1].map((ms) => ms.toString(36).padStart(9, '0'));
    expect(made[36 ** 2 - 1]).toBe(`${time}nnnnnnnn000zz`);
    expect(made[36 ** 2]).toBe(`${time}nnnnnnnn00100`);
    expect(made[36 ** 2 + 1]).toBe(`${time}nnnnnnnn00101`);
    expect(made[36 ** 2 + 2]).toBe(`${next}nnnnnnnn00000`);
    expect(made).toEqual([...new Set(made)].sort());
  });

  it('waits on its time until a clock that was overtaken or set back catches up', () => {
    const clock = createManualClock(START_MS);
    const sequence = new IdSequence(clock, 'nnnnnnnn', 2);
    for (let n = 0; n < 6; n += 1) sequence.next();
    clock.jumpWallClock(-50);
    expect(timeOf(sequence.next())).toBe(START_MS + 3);
    clock.jumpWallClock(60);
    expect(timeOf(sequence.next())).toBe(START_MS + 10);
  });

  it('stays with its time when the clock gives no instant', () => {
    const clock = { ...createManualClock(), nowMs: () => Number.NaN };
    const sequence = new IdSequence(clock, 'nnnnnnnn');
    expect([sequence.next(), sequence.next()]).toEqual(['000000000nnnnnnnn00000', '000000000nnnnnnnn00001']);
    const far = new IdSequence({ ...clock, nowMs: () => 36 ** 9 }, 'nnnnnnnn');
    expect(far.next()).toBe('000000000nnnnnnnn00000');
  });
});

function timeOf(sequenceText: string): number {
  return Number.parseInt(sequenceText.slice(0, 9), 36);
}

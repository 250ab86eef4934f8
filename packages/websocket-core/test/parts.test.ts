import { describe, expect, it } from '@jest/globals';
import type { Clock } from '@runwire/kernel';
import { createManualClock, createRecordingLogger } from '@runwire/kernel/testing';
import fc from 'fast-check';
import { Agenda, type Job } from '../src/agenda.js';
import { createSocketServer, DEFAULT_SOCKET_LIMITS, type SocketLimits } from '../src/index.js';
import { CountingWindow, SlidingWindow } from '../src/rate-window.js';
import { NOWHERE, Timetable, type Waiting } from '../src/timetable.js';
import { createDeps, createPorts } from './support/fixture.js';

describe('agenda', () => {
  const createAgenda = (clock: Clock, run: (job: Job) => void): Agenda =>
    new Agenda(clock, new Timetable(clock, createRecordingLogger()), { run });
  const JOBS: readonly Job[] = ['authentication', 'heartbeat', 'silence', 'token', 'refresh', 'destroy'];

  it('runs each job at its instant, in order, on one timer at any moment', async () => {
    const step = fc.record({ job: fc.constantFrom(...JOBS), inMs: fc.integer({ min: 0, max: 100 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const clock = createManualClock();
        const expected = new Map<Job, number>();
        const ran: [Job, number][] = [];
        const agenda = createAgenda(clock, (job) => ran.push([job, clock.monotonicMs()]));
        for (const { inMs, job } of steps) {
          agenda.set(job, inMs);
          expected.set(job, inMs);
          expect(clock.pendingTimers).toBe(1);
        }
        await clock.advance(200);
        expect(new Map(ran)).toEqual(expected);
        const instants = ran.map(([, atMs]) => atMs);
        expect(instants).toEqual(instants.toSorted((a, b) => a - b));
        expect([clock.pendingTimers, agenda.armed]).toEqual([0, false]);
      }),
    );
  });

  it('runs no job that an earlier one of the same instant cancelled or moved', async () => {
    const clock = createManualClock();
    const ran: [Job, number][] = [];
    const agenda = createAgenda(clock, (job) => {
      ran.push([job, clock.monotonicMs()]);
      if (job !== 'heartbeat') return;
      agenda.cancel('silence');
      agenda.set('token', 5);
    });
    agenda.set('heartbeat', 2);
    agenda.set('silence', 2);
    agenda.set('token', 2);
    await clock.advance(2);
    expect(ran).toEqual([['heartbeat', 2]]);
    await clock.advance(3);
    expect(ran).toEqual([
      ['heartbeat', 2],
      ['token', 5],
    ]);
    agenda.set('destroy', 10);
    agenda.clear();
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits on when a job fails, and logs it', async () => {
    const clock = createManualClock();
    const logger = createRecordingLogger();
    const ran: Job[] = [];
    const failing = (job: Job): void => {
      ran.push(job);
      if (job === 'token') throw new Error('broken');
    };
    const agenda = new Agenda(clock, new Timetable(clock, logger), { run: failing });
    agenda.set('token', 1);
    agenda.set('silence', 2);
    await clock.advance(2);
    expect(ran).toEqual(['token', 'silence']);
    expect(logger.lines).toMatchObject([{ level: 'error', fields: { err: new Error('broken') } }]);
  });
});

describe('timetable', () => {
  /** Somebody who waits, and notes when that was over. */
  class Note implements Waiting {
    place = NOWHERE;
    readonly dueAtMs: number[] = [];
    readonly #clock: Clock;

    constructor(clock: Clock) {
      this.#clock = clock;
    }

    due(): void {
      this.dueAtMs.push(this.#clock.monotonicMs());
    }
  }

  it('tells each at its last instant, in their order, whatever was set, moved and removed, on one timer', async () => {
    const step = fc.record({
      who: fc.nat({ max: 9 }),
      atMs: fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }),
      waitMs: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = createManualClock();
        const timetable = new Timetable(clock, createRecordingLogger());
        const notes = Array.from({ length: 10 }, () => new Note(clock));
        const waiting = new Map<Note, number>();
        const passed: [Note, number][] = [];
        const expectPassed = (): void => {
          for (const [note, atMs] of waiting) {
            if (atMs > clock.monotonicMs()) continue;
            passed.push([note, atMs]);
            waiting.delete(note);
          }
        };
        for (const { atMs, waitMs, who } of steps) {
          const note = notes[who] ?? new Note(clock);
          if (atMs === undefined) {
            timetable.remove(note);
            waiting.delete(note);
          } else {
            const instant = clock.monotonicMs() + atMs;
            timetable.set(note, instant);
            waiting.set(note, instant);
          }
          expect([timetable.size, clock.pendingTimers]).toEqual([waiting.size, Math.min(1, waiting.size)]);
          await clock.advance(waitMs);
          expectPassed();
        }
        await clock.advance(100);
        expectPassed();
        for (const note of notes) {
          const expected = passed.flatMap(([who, atMs]) => (who === note ? [atMs] : []));
          expect(note.dueAtMs).toEqual(expected);
        }
        expect([timetable.size, clock.pendingTimers]).toEqual([0, 0]);
      }),
    );
  });

  it('tells the others of an instant when one fails, and waits on', async () => {
    const clock = createManualClock();
    const logger = createRecordingLogger();
    const timetable = new Timetable(clock, logger);
    const note = new Note(clock);
    const failing: Waiting = {
      place: NOWHERE,
      due: () => {
        throw new Error('broken');
      },
    };
    timetable.set(failing, 1);
    timetable.set(note, 1);
    await clock.advance(1);
    timetable.set(note, 2);
    await clock.advance(1);
    expect(note.dueAtMs).toEqual([1, 2]);
    expect(logger.lines).toMatchObject([{ level: 'error' }]);
  });
});

describe('sliding window', () => {
  it('[WS-9] never allows more than its limit in any window, and says exactly when it will allow again', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 200 }), (gaps) => {
        const window = new SlidingWindow(5, 100);
        const allowed: number[] = [];
        let nowMs = 0;
        for (const gap of gaps) {
          nowMs += gap;
          const recent = allowed.filter((atMs) => atMs > nowMs - 100);
          const verdict = window.take(nowMs);
          expect(verdict.allowed).toBe(recent.length < 5);
          if (verdict.allowed) allowed.push(nowMs);
          else expect(verdict.retryAfterMs).toBe((recent[0] ?? 0) + 100 - nowMs);
        }
      }),
    );
  });
});

describe('counting window', () => {
  it('counts what it refuses, too, and starts anew after its window', () => {
    const window = new CountingWindow(2, 10);
    expect([0, 1, 2, 9].map((atMs) => window.take(atMs))).toEqual([true, true, false, false]);
    expect([10, 11, 12].map((atMs) => window.take(atMs))).toEqual([true, true, false]);
  });
});

describe('options', () => {
  const create = (limits: Partial<SocketLimits>) => () =>
    createSocketServer(createDeps(createPorts()), { limits });
  const invalid = (name: string) =>
    expect.objectContaining({ code: 'SOCKET_INVALID_OPTION', details: { name } });

  it('are refused by name when they are no positive numbers', () => {
    for (const name of Object.keys(DEFAULT_SOCKET_LIMITS)) {
      for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(create({ [name]: value })).toThrow(invalid(name));
      }
    }
  });

  it('need a silence limit of 1.4 heartbeat intervals', () => {
    expect(create({ heartbeatIntervalMs: 10_000, silenceTimeoutMs: 13_999 })).toThrow(
      invalid('silenceTimeoutMs'),
    );
    expect(create({ heartbeatIntervalMs: 10_000, silenceTimeoutMs: 14_000 })).not.toThrow();
  });

  it('need a path with a slash and origins that are origins', () => {
    const deps = createDeps(createPorts());
    expect(() => createSocketServer(deps, { path: 'ws' })).toThrow(invalid('path'));
    expect(() => createSocketServer(deps, { allowedOrigins: ['example'] })).toThrow(
      invalid('allowedOrigins'),
    );
  });
});

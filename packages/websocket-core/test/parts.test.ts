import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '@runwire/kernel/testing';
import fc from 'fast-check';
import { Agenda, type Job } from '../src/agenda.js';
import { createSocketServer, DEFAULT_SOCKET_LIMITS, type SocketLimits } from '../src/index.js';
import { CountingWindow, SlidingWindow } from '../src/rate-window.js';
import { createDeps, createPorts } from './support/fixture.js';

describe('agenda', () => {
  const JOBS: readonly Job[] = ['authentication', 'heartbeat', 'silence', 'token', 'refresh', 'destroy'];

  it('runs each job at its instant, in order, on one timer at any moment', async () => {
    const step = fc.record({ job: fc.constantFrom(...JOBS), inMs: fc.integer({ min: 0, max: 100 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const clock = createManualClock();
        const agenda = new Agenda(clock);
        const expected = new Map<Job, number>();
        const ran: [Job, number][] = [];
        for (const { inMs, job } of steps) {
          agenda.set(job, inMs, () => ran.push([job, clock.monotonicMs()]));
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
    const agenda = new Agenda(clock);
    const ran: string[] = [];
    agenda.set('heartbeat', 1, () => {
      agenda.cancel('silence');
      agenda.set('token', 5, () => ran.push('moved'));
    });
    agenda.set('silence', 2, () => ran.push('cancelled'));
    agenda.set('token', 2, () => ran.push('replaced'));
    await clock.advance(2);
    expect(ran).toEqual([]);
    await clock.advance(3);
    expect(ran).toEqual(['moved']);
    agenda.set('destroy', 10, () => ran.push('cleared'));
    agenda.clear();
    expect(clock.pendingTimers).toBe(0);
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

import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '@runwire/kernel/testing';
import { createAcks } from '../src/acks.js';
import { type ConnectionEvent, nextState } from '../src/connection-state.js';
import type { ClientState } from '../src/index.js';
import { createLiveness } from '../src/liveness.js';
import { fullJitter, planReconnect } from '../src/reconnect.js';

describe('the connection state', () => {
  const states: Record<ClientState['kind'] | 'resumable', ClientState> = {
    idle: { kind: 'idle' },
    connecting: { kind: 'connecting', attempt: 3 },
    replaying: { kind: 'replaying', connectionId: 'a' },
    live: { kind: 'live', connectionId: 'a' },
    waiting: { kind: 'waiting', attempt: 2, retryInMs: 5, closeCode: 1006, reason: '' },
    offline: { kind: 'offline' },
    stopped: { kind: 'stopped', code: 1000, reason: '', resumable: false },
    resumable: { kind: 'stopped', code: 4409, reason: '', resumable: true },
  };
  const events: Record<ConnectionEvent['kind'], ConnectionEvent> = {
    connect: { kind: 'connect' },
    established: { kind: 'established', connectionId: 'b' },
    caught_up: { kind: 'caught_up' },
    replaced: { kind: 'replaced', connectionId: 'b' },
    lost: { kind: 'lost', attempt: 4, retryInMs: 9, closeCode: 1012, reason: 'why' },
    retry: { kind: 'retry' },
    offline: { kind: 'offline' },
    stop: { kind: 'stop', code: 4403, reason: 'no', resumable: false },
  };
  const stays = {
    connect: '-',
    established: '-',
    caught_up: '-',
    replaced: '-',
    lost: '-',
    retry: '-',
    offline: '-',
    stop: 'stopped',
  } as const;
  const table: Record<keyof typeof states, Record<ConnectionEvent['kind'], string>> = {
    idle: { ...stays, connect: 'connecting' },
    connecting: { ...stays, established: 'replaying', lost: 'waiting', offline: 'offline' },
    replaying: { ...stays, caught_up: 'live', replaced: 'replaying', lost: 'waiting' },
    live: { ...stays, replaced: 'live', lost: 'waiting' },
    waiting: { ...stays, lost: 'waiting', retry: 'connecting', offline: 'offline' },
    offline: { ...stays, retry: 'connecting' },
    stopped: { ...stays, stop: '-' },
    resumable: { ...stays, connect: 'connecting' },
  };

  it('has a next state, or stays the same object, for every pair', () => {
    const seen: Record<string, Record<string, string>> = {};
    for (const [name, state] of Object.entries(states)) {
      const row = Object.entries(events).map(([kind, event]) => {
        const next = nextState(state, event);
        return [kind, next === state ? '-' : next.kind];
      });
      seen[name] = Object.fromEntries(row);
    }
    expect(seen).toEqual(table);
  });
});

describe('the reconnect delay', () => {
  const delays = { minDelayMs: 500, maxDelayMs: 20_000, windowMs: 5_000 };
  const plan = (code: number, failures: number, reason = '') =>
    planReconnect({ code, reason, failures, refreshed: false }, delays, () => 0.5);

  it('is random up to min · 2^n, at most max', () => {
    const limits = [0, 1, 2, 5, 6, 60].map((failures) => fullJitter(failures, delays, () => 1));
    expect(limits).toEqual([500, 1_000, 2_000, 16_000, 20_000, 20_000]);
    expect(fullJitter(3, delays, () => 0)).toBe(0);
  });

  it('is spread over the window first after 1001 and 1012, and added to what a 4503 or 4429 says', () => {
    const delayOf = (code: number, failures: number, reason?: string): number | undefined => {
      const next = plan(code, failures, reason);
      return next.kind === 'wait' ? next.delayMs : undefined;
    };
    expect([1001, 1012].map((code) => delayOf(code, 0))).toEqual([2_500, 2_500]);
    expect(delayOf(1012, 2)).toBe(1_000);
    expect(delayOf(4503, 0, '{"retryAfterMs":7000}')).toBe(9_500);
    expect(delayOf(4503, 0)).toBe(7_500);
    expect(delayOf(4429, 0, '{"retryAfterMs":1000}')).toBe(1_250);
    expect(delayOf(4508, 1)).toBe(500);
  });
});

describe('acks', () => {
  const create = () => {
    const clock = createManualClock();
    const sent: number[] = [];
    return { clock, sent, acks: createAcks({ clock, send: (seq) => sent.push(seq) }, 10) };
  };

  it('go out while behind, one for the frames that came together', async () => {
    const { acks, clock, sent } = create();
    acks.note(100, 10, true);
    await clock.settle();
    expect(sent).toEqual([]);
    acks.note(100, 12, true);
    acks.note(100, 15, true);
    await clock.settle();
    expect(sent).toEqual([15]);
    acks.note(100, 17, true);
    await clock.settle();
    expect(sent).toEqual([15, 17]);
    acks.note(100, 18, true);
    acks.stop();
    await clock.settle();
    expect(sent).toEqual([15, 17, 18]);
  });

  it('go out after 250 ms or 64 KiB at the head, cumulative, and never backwards', async () => {
    const { acks, clock, sent } = create();
    acks.note(100, 11, false);
    acks.note(100, 12, false);
    await clock.advance(249);
    expect(sent).toEqual([]);
    await clock.advance(1);
    expect(sent).toEqual([12]);
    acks.note(65_535, 13, false);
    expect(sent).toEqual([12]);
    acks.note(1, 14, false);
    expect(sent).toEqual([12, 14]);
    acks.note(70_000, 9, false);
    await clock.advance(1_000);
    expect(sent).toEqual([12, 14]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('stay below 100 in any second and 1,000 in ten, and the last one is not lost', async () => {
    const { acks, clock, sent } = create();
    const times: number[] = [];
    for (let frame = 1; frame <= 20_000; frame += 1) {
      const before = sent.length;
      acks.note(500, 10 + frame, true);
      await clock.advance(1);
      for (let n = before; n < sent.length; n += 1) times.push(clock.monotonicMs());
    }
    await clock.advance(100);
    expect(sent.at(-1)).toBe(20_010);
    const most = (windowMs: number): number =>
      Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length));
    expect(most(1_000)).toBeLessThan(100);
    expect(most(10_000)).toBeLessThan(1_000);
    expect(times.length).toBeGreaterThan(500);
  });

  it('leave no more than 64 KiB unacknowledged, however fast a reader that is behind catches up', () => {
    const { acks, sent } = create();
    for (let frame = 1; frame <= 1_000; frame += 1) {
      acks.note(16_384, 10 + frame, true);
      expect(10 + frame - (sent.at(-1) ?? 10)).toBeLessThan(4);
    }
  });

  it('send what is due when they stop, and nothing after', async () => {
    const { acks, clock, sent } = create();
    acks.note(1, 11, false);
    acks.stop();
    acks.note(1, 12, true);
    await clock.advance(1_000);
    expect(sent).toEqual([11]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('liveness', () => {
  it('asks once after one and a half intervals, and is satisfied by any frame', async () => {
    const clock = createManualClock();
    const log: string[] = [];
    const liveness = createLiveness({
      clock,
      heartbeatIntervalMs: 20_000,
      ping: () => log.push(`ping ${clock.monotonicMs()}`),
      dead: () => log.push(`dead ${clock.monotonicMs()}`),
    });
    await clock.advance(20_000);
    liveness.heard();
    await clock.advance(35_000);
    liveness.heard();
    await clock.advance(100_000);
    expect(log).toEqual(['ping 50000', 'ping 85000', 'dead 100000']);
    expect(clock.pendingTimers).toBe(0);
  });
});

import { describe, expect, it } from '@jest/globals';
import { createDeferred } from '@runwire/kernel';
import { createManualClock } from '@runwire/kernel/testing';
import { drainServer } from '../../src/startup/drain.js';

const TIME = { windowMs: 5_000, remainingMs: 30_000 };

/** Runs and connections that end when they are told. */
function createFixture() {
  const clock = createManualClock();
  const runsEnded = createDeferred();
  const clientsLeft = createDeferred();
  const asked: unknown[] = [];
  let closedAtMs: number | undefined;
  const startedAtMs = clock.monotonicMs();
  const drained = drainServer(
    {
      clock,
      supervisor: {
        async drain(options) {
          asked.push(['runs', options]);
          await runsEnded.promise;
        },
      },
      pool: {
        async drain(options) {
          asked.push(['clients', options]);
          await clientsLeft.promise;
        },
        async close() {
          closedAtMs = clock.monotonicMs() - startedAtMs;
          clientsLeft.resolve();
        },
      },
    },
    TIME,
  );
  return { clock, runsEnded, clientsLeft, asked, drained, closedAtMs: () => closedAtMs };
}

describe('draining a server', () => {
  it('[ST-2] tells clients and runs at once, each with its share of the time', () => {
    const { asked } = createFixture();
    expect(asked).toEqual([
      ['clients', { timeoutMs: 27_000 }],
      ['runs', { timeoutMs: 24_000 }],
    ]);
  });

  it('[ST-2] keeps clients connected until the runs have ended, beyond the window', async () => {
    const { clock, runsEnded, drained, closedAtMs } = createFixture();
    await clock.advance(20_000);
    expect(closedAtMs()).toBeUndefined();
    runsEnded.resolve();
    await drained;
    expect(closedAtMs()).toBe(20_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('[ST-2] gives clients the window to go elsewhere when nothing runs', async () => {
    const { clock, runsEnded, drained, closedAtMs } = createFixture();
    runsEnded.resolve();
    await clock.advance(4_999);
    expect(closedAtMs()).toBeUndefined();
    await clock.advance(1);
    await drained;
    expect(closedAtMs()).toBe(5_000);
  });

  it('is done at once when nothing runs and nobody is connected', async () => {
    const { clock, runsEnded, clientsLeft, drained, closedAtMs } = createFixture();
    runsEnded.resolve();
    clientsLeft.resolve();
    await drained;
    expect(closedAtMs()).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

import { describe, expect, it } from '@jest/globals';
import { createManualClock, createRecordingLogger } from '@runwire/kernel/testing';
import { runShutdown, type ShutdownStep } from '../src/shutdown.js';

const never = (): Promise<void> => new Promise(() => undefined);

function shutDown(steps: readonly ShutdownStep[], timeoutMs = 1_000) {
  const clock = createManualClock();
  const logger = createRecordingLogger();
  return { clock, logger, done: runShutdown(steps, { clock, logger }, timeoutMs) };
}

describe('a shutdown', () => {
  it('runs its steps in order, each behind the end of the one before', async () => {
    const order: string[] = [];
    const step = (name: string): ShutdownStep => ({
      name,
      async run() {
        order.push(`${name} begins`);
        await Promise.resolve();
        order.push(`${name} ends`);
      },
    });
    const { done, clock } = shutDown([step('runs'), step('sockets'), step('database')]);
    await expect(done).resolves.toBe(true);
    expect(order).toEqual([
      'runs begins',
      'runs ends',
      'sockets begins',
      'sockets ends',
      'database begins',
      'database ends',
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  for (const [how, run] of [
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
  ] as const) {
    it(`goes on behind a step that ${how}, and says that it was not clean`, async () => {
      const ran: string[] = [];
      const { done, logger } = shutDown([
        { name: 'log', run },
        { name: 'database', run: () => ran.push('database') },
      ]);
      await expect(done).resolves.toBe(false);
      expect(ran).toEqual(['database']);
      expect(logger.lines.filter(({ level }) => level === 'error')).toMatchObject([
        { fields: { step: 'log', err: { message: 'disk full' } } },
      ]);
    });
  }

  it('tells each step what is left of the time', async () => {
    const remaining: number[] = [];
    const clock = createManualClock();
    const steps: ShutdownStep[] = [
      {
        name: 'one',
        run: async (ms) => {
          remaining.push(ms);
          await clock.advance(300);
        },
      },
      { name: 'two', run: (ms) => remaining.push(ms) },
    ];
    await runShutdown(steps, { clock, logger: createRecordingLogger() }, 1_000);
    expect(remaining).toEqual([1_000, 700]);
  });

  it('gives up a step at the deadline, naming it, and still grants those behind a moment', async () => {
    const granted: number[] = [];
    const steps: ShutdownStep[] = [
      { name: 'runs', run: never },
      {
        name: 'sockets',
        run: (ms) => {
          granted.push(ms);
          return never();
        },
      },
      { name: 'database', run: (ms) => granted.push(ms) },
    ];
    const { done, clock, logger } = shutDown(steps, 1_000);
    await clock.advance(999);
    expect(granted).toEqual([]);
    await clock.advance(1);
    expect(granted).toEqual([250]);
    await clock.advance(250);
    await expect(done).resolves.toBe(false);
    expect(granted).toEqual([250, 250]);
    expect(logger.lines.map(({ fields }) => fields['step'])).toEqual(['runs', 'sockets', 'database']);
    expect(logger.lines[0]?.fields['err']).toMatchObject({
      message: 'the step "runs" was not done in 1000 ms',
    });
    expect(clock.pendingTimers).toBe(0);
  });
});

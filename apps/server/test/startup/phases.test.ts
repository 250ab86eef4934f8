import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '@runwire/kernel/testing';
import { STARTUP_PHASES, Startup, StartupError } from '../../src/startup/phases.js';

describe('the phases of a start', () => {
  it('[ST-1] run in their order, with their times, until it is ready', async () => {
    const clock = createManualClock();
    const startup = new Startup(clock);
    for (const phase of STARTUP_PHASES) {
      expect(startup.report()).toMatchObject({ ready: false, waitingFor: phase });
      await expect(
        startup.run(phase, async () => {
          await clock.advance(5);
          return phase;
        }),
      ).resolves.toBe(phase);
    }
    expect(startup.report()).toEqual({
      ready: true,
      waitingFor: undefined,
      phases: STARTUP_PHASES.map((phase) => ({ phase, durationMs: 5 })),
    });
  });

  for (const [index, expected] of STARTUP_PHASES.entries()) {
    it(`[ST-1] refuse everything but "${expected}" in its place, without running it`, async () => {
      const startup = new Startup(createManualClock());
      for (const phase of STARTUP_PHASES.slice(0, index)) await startup.run(phase, () => undefined);
      for (const phase of STARTUP_PHASES) {
        if (phase === expected) continue;
        let ran = false;
        const refused = startup.run(phase, () => {
          ran = true;
        });
        await expect(refused).rejects.toThrow(`${phase}: the phase "${expected}" comes first`);
        expect(ran).toBe(false);
      }
      expect(startup.report().waitingFor).toBe(expected);
    });
  }

  it('[ST-1] refuse a phase once it is ready', async () => {
    const startup = new Startup(createManualClock());
    for (const phase of STARTUP_PHASES) await startup.run(phase, () => undefined);
    await expect(startup.run('ready', () => undefined)).rejects.toThrow('the phase "none" comes first');
  });

  it('[ST-1] fail with their name and cause, and stay the one that is waited for', async () => {
    const startup = new Startup(createManualClock());
    const cause = new Error('no such folder');
    const failed = startup.run('config', () => {
      throw cause;
    });
    await expect(failed).rejects.toMatchObject({
      name: 'StartupError',
      code: 'STARTUP_FAILED',
      phase: 'config',
      message: 'config: no such folder',
      cause,
    });
    expect(startup.report()).toEqual({ ready: false, waitingFor: 'config', phases: [] });
  });

  it('[ST-1] keep the name of the innermost phase', async () => {
    const startup = new Startup(createManualClock());
    const inner = new StartupError('database', new Error('locked'));
    await expect(startup.run('config', () => Promise.reject(inner))).rejects.toBe(inner);
  });
});

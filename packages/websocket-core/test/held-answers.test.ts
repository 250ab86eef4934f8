import { describe, expect, it } from '@jest/globals';
import { createManualClock } from '@runwire/kernel/testing';
import fc from 'fast-check';
import { HeldAnswers } from '../src/adapters/held-answers.js';

describe('answers that are held', () => {
  it('are let go between five and ten milliseconds after they came, however close others came before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 20 }), async (gaps) => {
        const clock = createManualClock();
        const answers = new HeldAnswers(clock);
        const heldForMs: number[] = [];
        for (const gapMs of gaps) {
          await clock.advance(gapMs);
          const cameAtMs = clock.monotonicMs();
          answers.add({ release: () => heldForMs.push(clock.monotonicMs() - cameAtMs) });
        }
        await clock.advance(10);
        expect(heldForMs).toHaveLength(gaps.length);
        expect(heldForMs.filter((ms) => ms < 5 || ms > 10)).toEqual([]);
        // Two more steps at most, then nobody waits for anything.
        await clock.advance(10);
        expect(clock.pendingTimers).toBe(0);
      }),
    );
  });
});

import { defineTool } from '@runwire/agent-handler';
import type { Clock } from '@runwire/kernel';
import { z } from 'zod';
import { waitUntil } from './pace.js';

const STEPS = 20;
const SHORTEST_STEP_MS = 100;

/** Waits, and tells how far it is. */
export function createWaitTool(deps: { readonly clock: Clock }) {
  const { clock } = deps;
  return defineTool({
    name: 'wait',
    description: 'Waits for a number of seconds.',
    input: z.object({ seconds: z.number().positive().max(3_600) }),
    run: async ({ seconds }, call) => {
      const begunAtMs = clock.monotonicMs();
      const totalMs = seconds * 1_000;
      const stepMs = Math.max(SHORTEST_STEP_MS, totalMs / STEPS);
      for (let doneMs = stepMs; doneMs < totalMs; doneMs += stepMs) {
        await waitUntil(clock, begunAtMs + doneMs, call.signal);
        const percent = Math.round((doneMs / totalMs) * 100);
        await call.progress({ message: `${(doneMs / 1_000).toFixed(1)} of ${seconds} s`, percent });
      }
      await waitUntil(clock, begunAtMs + totalMs, call.signal);
      return { waitedMs: Math.round(clock.monotonicMs() - begunAtMs) };
    },
  });
}

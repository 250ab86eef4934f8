import type { RunStore } from '@runwire/agent-handler';
import { isId } from '@runwire/id-generation';
import { createErrorBody } from '@runwire/protocol';
import { z } from 'zod';
import type { RunDeliveries } from '../../delivery/run-deliveries.js';
import { findRunPosition } from '../../persistence/run-positions.js';
import { type RunwireHttpApp, sendProblem } from '../app.js';
import type { Guard } from '../guard.js';
import { callerOf, type RequestStates, sessionOf } from '../request-state.js';

const BY_ID = z.object({ id: z.string().max(128) });

const DELIVERY = z.object({
  id: z.string(),
  status: z.string(),
  lastSeq: z
    .number()
    .nullable()
    .describe('Position of the last event in the user stream; null while the run is open'),
  appendedAtMs: z
    .number()
    .nullable()
    .describe('When the log took it; null when the run ended too long ago, or before this process began'),
  appliedBy: z.array(z.object({ connectionId: z.string(), appliedAtMs: z.number() })),
});

const NOT_FOUND = { status: 404, body: createErrorBody('RUN_NOT_FOUND') } as const;

/** When which of the user's connections applied a run's last event (protocol §8), by their acknowledgements. */
export function addDeliveryRoute(
  app: RunwireHttpApp,
  deps: {
    readonly states: RequestStates;
    readonly guard: Guard;
    readonly runs: Pick<RunStore, 'findRun'>;
    readonly deliveries: RunDeliveries;
  },
): void {
  const { states, guard, runs, deliveries } = deps;
  const security = [{ bearer: [] }];
  app.get(
    '/api/runs/:id/delivery',
    {
      onRequest: guard,
      schema: { tags: ['runs'], security, params: BY_ID, response: { 200: DELIVERY } },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { userId } = callerOf(states, request).context;
      const run = isId('run', id) ? await runs.findRun(userId, id) : undefined;
      if (run === undefined) return sendProblem(reply, NOT_FOUND);
      const { runId, status } = run;
      const seen = deliveries.find(userId, runId);
      const position = await findRunPosition(sessionOf(states, request), userId, runId);
      return reply.send({
        id: runId,
        status,
        lastSeq: seen?.lastSeq ?? position?.lastSeq ?? null,
        appendedAtMs: seen?.appendedAtMs ?? null,
        appliedBy: [...(seen?.appliedBy ?? [])],
      });
    },
  );
}

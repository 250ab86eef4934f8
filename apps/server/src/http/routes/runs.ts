import type { AgentMessageHandler, AgentRegistry, RunRecord, RunStore } from '@runwire/agent-handler';
import type { EventLog } from '@runwire/event-log';
import { isId, type UserId } from '@runwire/id-generation';
import { createErrorBody } from '@runwire/protocol';
import { z } from 'zod';
import { findLargeValue } from '../../persistence/large-values.js';
import { findRunPosition } from '../../persistence/run-positions.js';
import { readRunEvents } from '../../threads/run-events.js';
import { type RunwireHttpApp, sendProblem } from '../app.js';
import type { Guard } from '../guard.js';
import { statusOf } from '../problems.js';
import { signalOf } from '../request-signal.js';
import { callerOf, type RequestStates, sessionOf } from '../request-state.js';

const BY_ID = z.object({ id: z.string().max(128) });
const BY_CALL = BY_ID.extend({ toolCallId: z.string().min(1).max(128) });
const EVENT_PAGE = z.object({
  limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
  after: z.coerce.number().int().min(0).default(0),
});

const NOT_FOUND = { status: 404, body: createErrorBody('RUN_NOT_FOUND') } as const;
const NO_VALUE = { status: 404, body: createErrorBody('NOT_FOUND') } as const;

/** Runs and what they left behind (protocol §8); another user's are not found. */
export function addRunRoutes(
  app: RunwireHttpApp,
  deps: {
    readonly states: RequestStates;
    readonly guard: Guard;
    readonly log: EventLog;
    readonly runs: RunStore;
    readonly agents: AgentRegistry;
    readonly handler: AgentMessageHandler;
  },
): void {
  const { states, guard, log, runs, agents, handler } = deps;
  const tags = ['runs'];
  const security = [{ bearer: [] }];
  const find = async (userId: UserId, id: string): Promise<RunRecord | undefined> =>
    isId('run', id) ? await runs.findRun(userId, id) : undefined;

  app.get('/api/agents', { onRequest: guard, schema: { tags: ['agents'], security } }, () =>
    agents.list().map(({ name, description, tools = [] }) => ({
      name,
      description,
      tools: tools.map((tool) => ({ name: tool.name, description: tool.description })),
    })),
  );

  app.get(
    '/api/runs/:id',
    { onRequest: guard, schema: { tags, security, params: BY_ID } },
    async (request, reply) => {
      const run = await find(callerOf(states, request).context.userId, request.params.id);
      if (run === undefined) return sendProblem(reply, NOT_FOUND);
      const { userId: _, runId: id, ...rest } = run;
      return reply.send({ id, ...rest });
    },
  );

  app.post(
    '/api/runs/:id/cancel',
    { onRequest: guard, schema: { tags, security, params: BY_ID } },
    async (request, reply) => {
      const caller = { context: callerOf(states, request).context, signal: signalOf(reply) };
      const answer = await handler.stopAgent({ type: 'stop_agent', runId: request.params.id }, caller);
      if ('accepted' in answer) return reply.send(answer.accepted);
      return sendProblem(reply, { status: statusOf(answer.rejected), body: answer.rejected });
    },
  );

  app.get(
    '/api/runs/:id/events',
    { onRequest: guard, schema: { tags, security, params: BY_ID, querystring: EVENT_PAGE } },
    async (request, reply) => {
      const run = await find(callerOf(states, request).context.userId, request.params.id);
      if (run === undefined) return sendProblem(reply, NOT_FOUND);
      const position = await findRunPosition(sessionOf(states, request), run.userId, run.runId);
      return reply.send(await readRunEvents(log, { run, position }, request.query));
    },
  );

  app.get(
    '/api/runs/:id/result',
    { onRequest: guard, schema: { tags, security, params: BY_ID } },
    async (request, reply) => {
      const { userId } = callerOf(states, request).context;
      const what = { userId, runId: request.params.id, toolCallId: '' };
      const value = await findLargeValue(sessionOf(states, request), what);
      return value === undefined ? sendProblem(reply, NO_VALUE) : reply.type('application/json').send(value);
    },
  );

  app.get(
    '/api/runs/:id/tools/:toolCallId/output',
    { onRequest: guard, schema: { tags, security, params: BY_CALL } },
    async (request, reply) => {
      const { userId } = callerOf(states, request).context;
      const what = { userId, runId: request.params.id, toolCallId: request.params.toolCallId };
      const value = await findLargeValue(sessionOf(states, request), what);
      return value === undefined ? sendProblem(reply, NO_VALUE) : reply.type('application/json').send(value);
    },
  );
}

import type { AgentMessageHandler } from '@runwire/agent-handler';
import type { EventLog } from '@runwire/event-log';
import { type ClientMessageOf, createErrorBody, decodeClientMessage } from '@runwire/protocol';
import { z } from 'zod';
import { findThread, listThreads } from '../../persistence/thread-store.js';
import { type ThreadService, UNTITLED } from '../../threads/thread-service.js';
import { readThreadSnapshot } from '../../threads/thread-snapshot.js';
import { type RunwireHttpApp, sendProblem } from '../app.js';
import type { Guard } from '../guard.js';
import { statusOf } from '../problems.js';
import { signalOf } from '../request-signal.js';
import { callerOf, type RequestStates, sessionOf } from '../request-state.js';

const THREAD = z.object({
  id: z.string(),
  title: z.string(),
  createdAtMs: z.number(),
  updatedAtMs: z.number(),
});
const LISTED_THREAD = THREAD.extend({ activeRunId: z.string().nullable() });
const PAGE = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  before: z.string().max(128).optional(),
});
/** Where the page before ended, as it was answered: the last thread's time and id. */
const THREAD_PAGE = PAGE.extend({
  before: z
    .string()
    .regex(/^\d{1,16}\.[\w-]{1,64}$/, { error: 'expected "before" of the page before' })
    .optional(),
});
const BY_ID = z.object({ id: z.string().max(128) });
const TITLE = z.string().trim().min(1, { error: 'expected a title' }).max(200);

const NOT_FOUND = { status: 404, body: createErrorBody('THREAD_NOT_FOUND') } as const;

/** A user's own threads (protocol §8); another user's are not found. */
export function addThreadRoutes(
  app: RunwireHttpApp,
  deps: {
    readonly states: RequestStates;
    readonly guard: Guard;
    readonly log: EventLog;
    readonly threads: ThreadService;
    readonly handler: AgentMessageHandler;
  },
): void {
  const { states, guard, log, threads, handler } = deps;
  const tags = ['threads'];
  const security = [{ bearer: [] }];

  app.get(
    '/api/threads',
    {
      onRequest: guard,
      schema: {
        tags,
        security,
        querystring: THREAD_PAGE,
        response: {
          200: z.object({ items: z.array(LISTED_THREAD).readonly(), before: z.string().nullable() }),
        },
      },
    },
    (request) =>
      listThreads(sessionOf(states, request), callerOf(states, request).context.userId, request.query),
  );

  app.post(
    '/api/threads',
    {
      onRequest: guard,
      schema: { tags, security, body: z.object({ title: TITLE.optional() }), response: { 201: THREAD } },
    },
    async (request, reply) => {
      const { context } = callerOf(states, request);
      const title = request.body.title ?? UNTITLED;
      return reply.code(201).send(await threads.create(sessionOf(states, request), context, title));
    },
  );

  app.get(
    '/api/threads/:id',
    { onRequest: guard, schema: { tags, security, params: BY_ID, querystring: PAGE } },
    async (request, reply) => {
      const { userId } = callerOf(states, request).context;
      const source = { session: sessionOf(states, request), log };
      const snapshot = await readThreadSnapshot(source, userId, request.params.id, request.query);
      return snapshot === undefined ? sendProblem(reply, NOT_FOUND) : reply.send(snapshot);
    },
  );

  app.patch(
    '/api/threads/:id',
    { onRequest: guard, schema: { tags, security, params: BY_ID, body: z.object({ title: TITLE }) } },
    async (request, reply) => {
      const { context } = callerOf(states, request);
      const session = sessionOf(states, request);
      const { id } = request.params;
      if (!(await threads.rename(session, context, id, request.body.title)))
        return sendProblem(reply, NOT_FOUND);
      return reply.send(await findThread(session, context.userId, id));
    },
  );

  app.delete(
    '/api/threads/:id',
    { onRequest: guard, schema: { tags, security, params: BY_ID, response: { 204: z.null() } } },
    async (request, reply) => {
      const { context } = callerOf(states, request);
      const removed = await threads.remove(sessionOf(states, request), context, request.params.id);
      return removed ? reply.code(204).send(null) : sendProblem(reply, NOT_FOUND);
    },
  );

  app.post(
    '/api/threads/:id/messages',
    {
      onRequest: guard,
      schema: {
        tags,
        security,
        params: BY_ID,
        body: z.looseObject({}).describe('A user_message without its type and threadId'),
      },
    },
    async (request, reply) => {
      const decoded = decodeClientMessage(
        JSON.stringify({ ...request.body, type: 'user_message', threadId: request.params.id }),
      );
      if (!decoded.ok) return sendProblem(reply, { status: statusOf(decoded.error), body: decoded.error });
      const caller = { context: callerOf(states, request).context, signal: signalOf(reply) };
      const answer = await handler.userMessage(decoded.message as ClientMessageOf<'user_message'>, caller);
      if ('accepted' in answer) return reply.code(202).send(answer.accepted);
      return sendProblem(reply, { status: statusOf(answer.rejected), body: answer.rejected });
    },
  );
}

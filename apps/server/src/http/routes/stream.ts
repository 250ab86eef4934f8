import { createErrorBody } from '@runwire/protocol';
import type { PostAnswer, SocketServer } from '@runwire/websocket-core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type RunwireHttpApp, sendProblem } from '../app.js';
import type { Guard } from '../guard.js';
import { statusOf } from '../problems.js';
import { callerOf, type RequestStates, sessionOf } from '../request-state.js';

/** Names the stream that a posted message belongs to. */
const CONNECTION_HEADER = 'runwire-connection';

/** What the routes need. */
export interface StreamRouteDeps {
  readonly sockets: Pick<SocketServer, 'handleStream' | 'hasStream' | 'receive'>;
  readonly states: RequestStates;
  readonly guard: Guard;
  /** Of a posted message; then 413. */
  readonly maxMessageBytes: number;
}

/**
 * Server-sent events and posted messages, for networks that block WebSockets (protocol §8). Both are judged by
 * the socket server, as upgrades and frames are: by its limits, and by its reading of what the client sent.
 */
export async function addStreamRoutes(app: RunwireHttpApp, deps: StreamRouteDeps): Promise<void> {
  addStream(app, deps);
  // Apart from the others, because here a body is read as text.
  await app.register(async (posts: RunwireHttpApp) => {
    posts.removeAllContentTypeParsers();
    posts.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );
    addCommands(posts, deps);
  });
}

const tags = ['stream'];
const security = [{ bearer: [] }];
const asItIs = () => (value: unknown) => ({ value });

const CURSOR = z.object({
  epoch: z.string().optional(),
  seq: z.string().optional(),
  id: z.string().optional(),
  replaces: z
    .string()
    .optional()
    .describe('A connection of the same user, closed once this one has caught up'),
});
const EVENTS = {
  description: 'One frame of the WebSocket per event',
  content: { 'text/event-stream': { schema: z.string() } },
};

function addStream(app: RunwireHttpApp, { sockets, states }: StreamRouteDeps): void {
  app.get(
    '/api/stream',
    {
      exposeHeadRoute: false,
      config: { isLimitedElsewhere: () => true },
      // A cursor that cannot be read is answered with `reset`, on the stream.
      validatorCompiler: asItIs,
      schema: {
        tags,
        security,
        querystring: CURSOR,
        headers: z.object({ 'last-event-id': z.string().optional() }),
        response: { 200: EVENTS },
      },
    },
    async (request, reply) => {
      // A stream lasts for hours; what belongs to its request alone does not.
      await sessionOf(states, request).close();
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) reply.raw.setHeader(name, value);
      }
      sockets.handleStream(request.raw, reply.raw);
    },
  );
}

function addCommands(app: RunwireHttpApp, deps: StreamRouteDeps): void {
  const { sockets, states, guard, maxMessageBytes } = deps;
  app.post(
    '/api/commands',
    {
      onRequest: guard,
      bodyLimit: maxMessageBytes,
      config: { isLimitedElsewhere: (request) => sockets.hasStream(connectionIdOf(request)) },
      validatorCompiler: asItIs,
      schema: {
        tags,
        security,
        headers: z.object({ [CONNECTION_HEADER]: z.string().describe('The connectionId of an open stream') }),
        body: z.looseObject({ type: z.string() }).describe('Any message of a client'),
        response: {
          200: z.looseObject({ type: z.string() }).describe('Its answer'),
          202: z.null().describe('What it asks for comes on the stream'),
          204: z.null().describe('It has no answer'),
        },
      },
    },
    async (request, reply) => {
      const text = textOf(request.body);
      if (text === undefined) return sendProblem(reply, NOT_TEXT);
      const { userId } = callerOf(states, request).context;
      const connectionId = connectionIdOf(request);
      return answer(reply, await sockets.receive({ userId, connectionId, text }));
    },
  );
}

function answer(reply: FastifyReply, outcome: PostAnswer): FastifyReply {
  switch (outcome.kind) {
    case 'answered':
      return reply.send(outcome.message);
    case 'taken':
      return reply.code(204).send();
    case 'streamed':
      return reply.code(202).send();
    case 'unknown':
      return problem(
        reply,
        'NOT_FOUND',
        'You have no open stream of that id: see the header Runwire-Connection.',
      );
    case 'closed':
      return problem(reply, 'NOT_READY', `The stream ended with ${outcome.close.code} before the answer.`);
  }
}

function problem(reply: FastifyReply, code: 'NOT_FOUND' | 'NOT_READY', message: string): FastifyReply {
  const body = createErrorBody(code, { message });
  return sendProblem(reply, { status: statusOf(body), body });
}

function connectionIdOf(request: FastifyRequest): string {
  const value = request.headers[CONNECTION_HEADER];
  return typeof value === 'string' ? value : '';
}

const NOT_TEXT = {
  status: 400,
  body: createErrorBody('INVALID_JSON', { message: 'Expected a body of UTF-8 text.' }),
} as const;

/** The body as it was sent; undefined when it is no UTF-8. */
function textOf(body: unknown): string | undefined {
  if (!Buffer.isBuffer(body)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return undefined;
  }
}

import type { IncomingMessage } from 'node:http';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import type { IdGenerator, RequestId } from '@runwire/id-generation';
import type { Clock, Logger } from '@runwire/kernel';
import { createErrorBody } from '@runwire/protocol';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Limits } from '../config/limits.js';
import type { DatabaseSessions } from '../persistence/session.js';
import { type Problem, problemOf } from './problems.js';
import type { RequestStates } from './request-state.js';
import type { RequestsUnderWay } from './requests-under-way.js';

/** What the HTTP layer itself needs; routes bring their own. */
export interface HttpDeps {
  readonly ids: IdGenerator;
  readonly logger: Logger;
  readonly sessions: DatabaseSessions;
  readonly states: RequestStates;
  readonly underWay: RequestsUnderWay;
}

/** How HTTP is served. */
export interface HttpOptions {
  readonly maxRequestsPerMinute: number;
  readonly trustProxy: boolean;
  readonly version: string;
  /** `authenticationTimeoutMs`: for the headers of a request, half a handshake's too; then 408. */
  readonly limits: Pick<Limits, 'authenticationTimeoutMs'>;
  /** For a request to come whole; then 408. @defaultValue 60_000 */
  readonly requestTimeoutMs?: number;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** True for a request that counts against a limit of its own, and not against those per minute. */
    readonly isLimitedElsewhere?: (request: FastifyRequest) => boolean;
  }
}

const MAX_BODY_BYTES = 256 * 1_024;
const REQUEST_TIMEOUT_MS = 60_000;
/** How often Node looks for requests that take too long. */
const SLOW_REQUESTS_INTERVAL_MS = 1_000;

/** Of `X-Forwarded-For` only what the proxy in front of this server wrote counts: its last entry. */
const PROXY_HOPS = 1;

/** Share of its time that shutdown gives to requests under way; what is left of connections is cut then. */
const ANSWER_SHARE = 0.5;

/**
 * Ends the application: no new requests, those under way are answered, then every connection is cut. A browser
 * opens connections that it may never use: to Node those are not idle, and waiting for them takes a minute.
 */
export async function closeHttpApp(
  app: FastifyInstance,
  deps: { readonly clock: Clock; readonly underWay: RequestsUnderWay },
  remainingMs: number,
): Promise<void> {
  const closed = app.close();
  await deps.underWay.answered(deps.clock, remainingMs * ANSWER_SHARE);
  app.server.closeAllConnections();
  await closed;
}

/** Creates the application: ids, sessions, errors, headers, limits, OpenAPI. Routes are added by the caller. */
export async function createHttpApp(deps: HttpDeps, options: HttpOptions) {
  const app = Fastify({
    genReqId: () => deps.ids.requestId(),
    bodyLimit: MAX_BODY_BYTES,
    trustProxy: options.trustProxy && ((_address: string, hop: number) => hop < PROXY_HOPS),
    forceCloseConnections: 'idle',
    requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    http: {
      headersTimeout: options.limits.authenticationTimeoutMs,
      connectionsCheckingInterval: SLOW_REQUESTS_INTERVAL_MS,
    },
    // An address that cannot be decoded reaches no route, and none of the hooks.
    frameworkErrors: (error, _request, reply) => {
      reply.header('x-request-id', reply.request.id);
      sendProblem(reply, problemOf(error));
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  manageState(app, deps);
  answerErrors(app, deps.logger);
  await app.register(helmet, { contentSecurityPolicy: { directives: CONTENT_SECURITY } });
  await limitRequests(app, options.maxRequestsPerMinute);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Runwire', version: options.version },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    },
    transform: jsonSchemaTransform,
  });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  return app;
}

/** The application with its zod type provider, as routes take it. */
export type RunwireHttpApp = Awaited<ReturnType<typeof createHttpApp>>;

// The page and its socket come from this server ('self' covers the socket); styles are inlined by the page's
// own components.
const CONTENT_SECURITY = {
  defaultSrc: ["'self'"],
  connectSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  styleSrc: ["'self'", "'unsafe-inline'"],
  upgradeInsecureRequests: null,
};

/** True for what is computed; the page's files may be fetched without limit. */
export function isDynamic(url: string): boolean {
  return /^\/(api|auth|health|metrics|openapi\.json|ws)(\/|\?|$)/.test(url);
}

function manageState(app: FastifyInstance, { sessions, states, underWay }: HttpDeps): void {
  app.addHook('onRequest', async (request, reply) => {
    underWay.begin(reply.raw);
    const session = sessions.open();
    states.set(request, { session });
    // `close` comes once, however the response ends, also when the client has gone.
    reply.raw.once('close', () => void session.close());
    reply.header('x-request-id', request.id);
  });
}

async function limitRequests(app: FastifyInstance, max: number): Promise<void> {
  await app.register(rateLimit, {
    global: false,
    max,
    timeWindow: 60_000,
    // By the route: an address can be written in many ways.
    allowList: (request) => {
      const { config, url = request.url } = request.routeOptions;
      return url.startsWith('/health/') || !isDynamic(url) || config.isLimitedElsewhere?.(request) === true;
    },
  });
  // For all routes, so before the guard of each: what the guard refuses counts as well.
  app.addHook('onRequest', app.rateLimit());
}

function answerErrors(app: FastifyInstance, logger: Logger): void {
  app.setNotFoundHandler((request, reply) => {
    const message = `There is no ${request.method} ${request.url.split('?')[0]?.slice(0, 200) ?? ''}.`;
    return sendProblem(reply, { status: 404, body: createErrorBody('NOT_FOUND', { message }) });
  });
  app.setErrorHandler((error: Error, request, reply) => {
    const problem = problemOf(error);
    if (problem.status >= 500) logFailure(logger, request, error);
    return sendProblem(reply, problem);
  });
}

function logFailure(logger: Logger, request: FastifyRequest, err: Error): void {
  logger.error(
    { err, requestId: request.id, method: request.method, route: request.routeOptions.url },
    'request failed',
  );
}

/** Answers with an error body and what HTTP wants around it. */
export function sendProblem(reply: FastifyReply, { status, body }: Problem): FastifyReply {
  const { code, message, details, retryAfterMs } = body;
  if (retryAfterMs !== undefined) reply.header('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1_000)));
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  const requestId = reply.request.id as RequestId;
  return reply
    .code(status)
    .send({ error: { code, message, requestId, ...(details === undefined ? {} : { details }) } });
}

/** The peer's address as Fastify computes it, for an upgrade that never reaches Fastify. */
export function remoteAddressOf(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? String(request.headers['x-forwarded-for'] ?? '') : '';
  const last = forwarded.split(',').at(-1)?.trim() ?? '';
  return last === '' ? (request.socket.remoteAddress ?? 'unknown') : last;
}

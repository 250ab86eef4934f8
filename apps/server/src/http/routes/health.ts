import { timingSafeEqual } from 'node:crypto';
import { createErrorBody } from '@runwire/protocol';
import type { FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import type { StartupReport } from '../../startup/phases.js';
import { type RunwireHttpApp, sendProblem } from '../app.js';

/** Whether this process is ready; if not, what is missing, and if so, which dependency is in trouble and why. */
export type ReadinessReport =
  | { readonly ready: true; readonly degraded?: readonly string[] }
  | { readonly ready: false; readonly missing: readonly string[] };

/** Health and metrics (protocol §8). */
export function addHealthRoutes(
  app: RunwireHttpApp,
  deps: {
    readonly startup: () => StartupReport;
    readonly readiness: () => ReadinessReport;
    readonly metrics: Registry;
    readonly metricsToken: string | undefined;
  },
): void {
  const tags = ['health'];
  app.get('/health/live', { schema: { tags } }, () => ({ status: 'live' }));
  app.get('/health/ready', { schema: { tags } }, (_request, reply) => {
    const report = deps.readiness();
    return reply.code(report.ready ? 200 : 503).send(report);
  });
  app.get('/health/startup', { schema: { tags } }, (_request, reply) => {
    const report = deps.startup();
    return reply.code(report.ready ? 200 : 503).send(report);
  });
  app.get('/metrics', { schema: { tags } }, async (request, reply) => {
    if (!mayReadMetrics(request, deps.metricsToken)) {
      const message = 'Metrics answer on loopback, or with RUNWIRE_METRICS_TOKEN as bearer token.';
      return sendProblem(reply, { status: 403, body: createErrorBody('FORBIDDEN', { message }) });
    }
    return reply.type(deps.metrics.contentType).send(await deps.metrics.metrics());
  });
}

const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);

function mayReadMetrics(request: FastifyRequest, token: string | undefined): boolean {
  if (token === undefined) {
    // A proxy on this machine is on loopback too; it says for whom it asks.
    const { 'x-forwarded-for': forwardedFor, forwarded } = request.headers;
    const direct = forwardedFor === undefined && forwarded === undefined;
    return direct && LOOPBACK.has(request.socket.remoteAddress ?? '');
  }
  const given = Buffer.from(request.headers.authorization ?? '');
  const expected = Buffer.from(`Bearer ${token}`);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

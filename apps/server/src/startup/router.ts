import { createSocketServer, type SocketServer } from '@runwire/websocket-core';
import type { Registry } from 'prom-client';
import type { Scope } from '../composition/scope.js';
import { TOKENS } from '../composition/tokens.js';
import { closeHttpApp, createHttpApp, type RunwireHttpApp, remoteAddressOf } from '../http/app.js';
import { createGuard } from '../http/guard.js';
import { createRequestsUnderWay, type RequestsUnderWay } from '../http/requests-under-way.js';
import { addAuthRoutes } from '../http/routes/auth.js';
import { addDeliveryRoute } from '../http/routes/delivery.js';
import { addHealthRoutes, type ReadinessReport } from '../http/routes/health.js';
import { addRunRoutes } from '../http/routes/runs.js';
import { addStreamRoutes } from '../http/routes/stream.js';
import { addThreadRoutes } from '../http/routes/threads.js';
import { addPage } from '../http/static.js';
import { createMetrics } from '../metrics/metrics.js';
import { createOpenConnection, disconnectSession } from '../sockets/open-connection.js';
import { VERSION } from '../version.js';
import type { StartupReport } from './phases.js';

/** What answers HTTP and sockets. */
export interface Router {
  readonly app: RunwireHttpApp;
  readonly sockets: SocketServer;
  stats(): ReturnType<typeof serverStats>;
  /** Answers the requests under way, then cuts every HTTP connection. */
  closeHttp(remainingMs: number): Promise<void>;
}

/** What the router is told of the process it runs in. */
export interface ProcessState {
  readonly startup: () => StartupReport;
  readonly readiness: () => ReadinessReport;
  /** For whoever watches: as `readiness`, with what is in trouble. */
  readonly health: () => ReadinessReport;
  readonly webDirectory: string;
}

/** While starting or stopping, a client may try again after this. */
const NOT_READY_RETRY_MS = 1_000;

/** Builds the socket server and the HTTP application over the composed services. */
export async function createRouter(scope: Scope, state: ProcessState): Promise<Router> {
  const sockets = createSockets(scope, state);
  const stats = () => serverStats(scope, sockets);
  const metrics = createMetrics({
    sockets: () => sockets.stats(),
    pool: () => scope.get(TOKENS.pool).stats(),
    bridge: () => scope.get(TOKENS.bridge).stats(),
    runs: () => scope.get(TOKENS.supervisor).stats(),
    sessions: () => scope.get(TOKENS.sessions).stats,
    log: scope.get(TOKENS.logStats),
    delivery: scope.get(TOKENS.meter),
  });
  const underWay = createRequestsUnderWay();
  const app = await createApp(scope, { ...state, sockets, metrics, underWay });
  const clock = scope.get(TOKENS.clock);
  return {
    app,
    sockets,
    stats,
    closeHttp: (remainingMs) => closeHttpApp(app, { clock, underWay }, remainingMs),
  };
}

function serverStats(scope: Scope, sockets: SocketServer) {
  return {
    sockets: sockets.stats(),
    pool: scope.get(TOKENS.pool).stats(),
    bridge: scope.get(TOKENS.bridge).stats(),
    runs: scope.get(TOKENS.supervisor).stats(),
    sessions: scope.get(TOKENS.sessions).stats,
  };
}

function createSockets(scope: Scope, state: ProcessState): SocketServer {
  const config = scope.get(TOKENS.config);
  const sessions = scope.get(TOKENS.sessions);
  const auth = scope.get(TOKENS.auth);
  const pool = scope.get(TOKENS.pool);
  auth.onRevoked((ended) => disconnectSession({ pool, ids: scope.get(TOKENS.ids) }, ended));
  return createSocketServer(
    {
      clock: scope.get(TOKENS.clock),
      logger: scope.get(TOKENS.logger),
      ids: scope.get(TOKENS.ids),
      readiness: () => {
        const report = state.readiness();
        if (report.ready) return report;
        const message = `The server is not ready: ${report.missing.join(', ')}.`;
        return { ready: false, message, retryAfterMs: NOT_READY_RETRY_MS };
      },
      authenticate: (token) => sessions.with((session) => auth.verify(session, token)),
      admission: pool,
      open: createOpenConnection({
        handler: scope.get(TOKENS.handler),
        bridge: scope.get(TOKENS.bridge),
        pool,
        sessions,
      }),
      remoteAddressOf: (request) => remoteAddressOf(request, config.trustProxy),
    },
    {
      limits: config.limits,
      ...(config.allowedOrigins.length === 0 ? {} : { allowedOrigins: config.allowedOrigins }),
    },
  );
}

async function createApp(
  scope: Scope,
  state: ProcessState & {
    readonly sockets: SocketServer;
    readonly metrics: Registry;
    readonly underWay: RequestsUnderWay;
  },
): Promise<RunwireHttpApp> {
  const config = scope.get(TOKENS.config);
  const states = scope.get(TOKENS.states);
  const auth = scope.get(TOKENS.auth);
  const http = {
    ids: scope.get(TOKENS.ids),
    logger: scope.get(TOKENS.logger),
    sessions: scope.get(TOKENS.sessions),
    states,
    underWay: state.underWay,
  };
  const app = await createHttpApp(http, { ...config, version: VERSION });
  const guard = createGuard({ auth, states });
  const log = scope.get(TOKENS.log);
  const handler = scope.get(TOKENS.handler);
  addHealthRoutes(app, { ...state, readiness: state.health, metricsToken: config.metricsToken });
  addAuthRoutes(app, { auth, states, guard });
  addThreadRoutes(app, { states, guard, log, handler, threads: scope.get(TOKENS.threads) });
  addRunRoutes(app, {
    states,
    guard,
    log,
    handler,
    runs: scope.get(TOKENS.runs),
    agents: scope.get(TOKENS.agents),
  });
  addDeliveryRoute(app, {
    states,
    guard,
    runs: scope.get(TOKENS.runs),
    deliveries: scope.get(TOKENS.meter).runs,
  });
  const { maxMessageBytes } = config.limits;
  await addStreamRoutes(app, { sockets: state.sockets, states, guard, maxMessageBytes });
  app.get('/ws', { schema: { hide: true } }, (request, reply) => {
    const { status, headers, body } = state.sockets.probe(request.raw);
    return reply
      .code(status)
      .headers({ ...headers, 'content-type': 'application/json' })
      .send(body);
  });
  app.server.on('upgrade', (request, socket, head) => state.sockets.handleUpgrade(request, socket, head));
  await addPage(app, state.webDirectory);
  return app;
}

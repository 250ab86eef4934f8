import { createServer } from 'node:http';
import { join } from 'node:path';
import { createWebSocketBridgeFactory, type WebSocketBridgeFactory } from '@runwire/bridge-factory';
import { createConnectionPool } from '@runwire/connection-pool';
import { createMemoryEventLog, type EventLog, type EventLogObserver } from '@runwire/event-log';
import { type FileEventLogStats, openFileEventLog } from '@runwire/event-log-file';
import { createIdGenerator, type IdGenerator, isId } from '@runwire/id-generation';
import { type Clock, createSystemClock, type Logger } from '@runwire/kernel';
import { createSocketServer, type Principal, type SocketServer } from '@runwire/websocket-core';
import type { ServerOptions } from '../contract.js';
import { closeServer, listenOnLoopback } from '../listening.js';
import { createTokenVerifier } from '../tokens.js';
import { createStderrLogger } from './logger.js';
import { DeliveryMeter } from './meter.js';
import { openConnection } from './open-connection.js';
import { RAISED_LIMITS } from './raised-limits.js';

/** Where events are kept. */
export type LogKind = 'file' | 'memory';

/** A running composition of the packages. */
export interface Composition {
  readonly port: number;
  readonly bridge: WebSocketBridgeFactory;
  readonly sockets: SocketServer;
  readonly log: EventLog;
  readonly meter: DeliveryMeter;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  /** Undefined for a log in memory. */
  logStats(): FileEventLogStats | undefined;
  close(): Promise<void>;
}

/**
 * Composes the packages as the reference server does, with the log, the pool, delivery, metrics and the socket
 * server; instead of accounts there are tokens alone, as the other contestants have them.
 */
export async function compose(options: ServerOptions, kind: LogKind): Promise<Composition> {
  const clock = createSystemClock();
  const ids = createIdGenerator({ clock });
  const logger = createStderrLogger();
  const meter = new DeliveryMeter(clock);
  const opened = await openLog(
    { clock, ids, logger, observer: meter },
    { kind, directory: options.directory },
  );
  const log = meter.observe(opened.log);
  const pool = createConnectionPool({ clock, logger }, RAISED_LIMITS);
  pool.start();
  const bridge = createWebSocketBridgeFactory(
    { log, connections: pool, ids, clock, logger, observer: meter },
    { delivery: RAISED_LIMITS, emit: RAISED_LIMITS },
  );
  const sockets = createSocketServer(
    {
      clock,
      logger,
      ids,
      readiness: () => ({ ready: true }),
      authenticate: createAuthenticator(options.secret),
      admission: pool,
      open: openConnection({ bridge, pool }),
      remoteAddressOf: (request) => request.socket.remoteAddress ?? 'unknown',
    },
    { limits: RAISED_LIMITS },
  );
  const http = createServer();
  http.on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head));
  const port = await listenOnLoopback(http);
  return {
    port,
    bridge,
    sockets,
    log,
    meter,
    clock,
    ids,
    logStats: opened.stats,
    async close() {
      await sockets.close();
      await pool.close();
      await bridge.close();
      await closeServer(http);
      await log.close();
    },
  };
}

async function openLog(
  deps: {
    readonly clock: Clock;
    readonly ids: IdGenerator;
    readonly logger: Logger;
    readonly observer: EventLogObserver;
  },
  { kind, directory }: { readonly kind: LogKind; readonly directory: string },
): Promise<{ readonly log: EventLog; readonly stats: () => FileEventLogStats | undefined }> {
  const { retentionEvents: maxEvents, retentionBytes: maxBytes } = RAISED_LIMITS;
  const retention = { maxEvents, maxBytes };
  if (kind === 'memory') return { log: createMemoryEventLog(deps, { retention }), stats: () => undefined };
  const folder = join(directory, 'events');
  const log = await openFileEventLog(deps, { directory: folder, fsync: 'interval', retention });
  return { log, stats: () => log.stats() };
}

function createAuthenticator(secret: string): (token: string) => Promise<Principal> {
  const verify = createTokenVerifier(secret);
  return async (token) => {
    const { userId, ...rest } = await verify(token);
    if (!isId('user', userId)) throw new Error(`${userId} is no user id.`);
    return { userId, ...rest };
  };
}

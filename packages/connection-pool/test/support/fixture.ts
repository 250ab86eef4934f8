import { createIdGenerator, type IdGenerator, type UserId } from '@runwire/id-generation';
import {
  createManualClock,
  createRecordingLogger,
  type ManualClock,
  type RecordingLogger,
} from '@runwire/kernel/testing';
import type { ClientConnection } from '@runwire/websocket-core';
import {
  createMemorySocketServer,
  type MemoryConnect,
  type MemoryPeer,
  type MemorySocketServer,
} from '@runwire/websocket-core/testing';
import { type ConnectionPool, type ConnectionPoolOptions, createConnectionPool } from '../../src/index.js';

export interface Connected {
  readonly peer: MemoryPeer;
  readonly connection: ClientConnection;
}

/** A pool behind a socket server in memory. The token is the user's id. */
export interface Fixture {
  readonly clock: ManualClock;
  readonly logger: RecordingLogger;
  readonly ids: IdGenerator;
  readonly pool: ConnectionPool;
  readonly server: MemorySocketServer;
  request(userId: UserId, options?: Asked): MemoryConnect;
  connect(userId: UserId, options?: Asked): Promise<Connected>;
}

/** How a user connects. */
export interface Asked {
  readonly replaces?: string;
  readonly from?: string;
  readonly transport?: 'websocket' | 'stream';
}

const STREAM = { epoch: 'e', first: 1, head: 0, headId: null };

export function createFixture(options: ConnectionPoolOptions = {}): Fixture {
  const clock = createManualClock();
  const logger = createRecordingLogger();
  const ids = createIdGenerator({ clock });
  const pool = createConnectionPool({ clock, logger }, options);
  const opened: ClientConnection[] = [];
  const server = createMemorySocketServer({
    clock,
    logger,
    ids,
    readiness: () => ({ ready: true }),
    authenticate: async (token) => ({
      userId: token as UserId,
      sessionId: 'session',
      issuedAtMs: clock.nowMs(),
      expiresAtMs: clock.nowMs() + 3_600_000,
    }),
    admission: pool,
    open: async (connection) => {
      opened.push(connection);
      connection.establish({ stream: STREAM, resume: { mode: 'live', from: 1 } });
    },
    remoteAddressOf: (request) => request.socket.remoteAddress ?? '',
  });
  const request: Fixture['request'] = (
    userId,
    { from = '10.0.0.1', replaces, transport = 'websocket' } = {},
  ) =>
    server.connect({
      url: replaces === undefined ? '/ws' : `/ws?replaces=${replaces}`,
      headers: { authorization: `Bearer ${userId}` },
      remoteAddress: from,
      transport,
    });
  return {
    clock,
    logger,
    ids,
    pool,
    server,
    request,
    async connect(userId, asked) {
      // Apart in time, so that the rate of upgrades is only met by tests that mean to.
      await clock.advance(60);
      const connected = request(userId, asked);
      if (connected.kind === 'refused') throw new Error(connected.answer.body);
      await clock.settle();
      const connection = opened.at(-1);
      if (connection === undefined) throw new Error('not opened');
      return { peer: connected.peer, connection };
    },
  };
}

export function statusOf(connected: MemoryConnect): number {
  return connected.kind === 'refused' ? connected.answer.status : 101;
}

/** The counts that are zero when nobody is connected. */
export function liveCounts({ clock, pool }: Fixture): Readonly<Record<string, number>> {
  const { addresses, connections, managers, reservations, users } = pool.stats();
  return { addresses, connections, managers, reservations, users, timers: clock.pendingTimers };
}

export const NOTHING: Readonly<Record<string, number>> = {
  addresses: 0,
  connections: 0,
  managers: 0,
  reservations: 0,
  users: 0,
  timers: 0,
};

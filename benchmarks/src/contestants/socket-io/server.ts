import { createServer } from 'node:http';
import { Server } from 'socket.io';
import type { ServerContestant } from '../contract.js';
import { type DeltaEvent, deltaEvent } from '../delta.js';
import { listenOnLoopback } from '../listening.js';
import { createTokenVerifier } from '../tokens.js';

/** What the server sends. */
export interface ServerEvents {
  event: (event: DeltaEvent) => void;
}

/** What a socket carries, and its recovery restores. */
interface SocketData {
  userId: string;
}

/** As its documentation says: a room for each user, connection state recovery for two minutes. */
const RECOVERY = { maxDisconnectionDuration: 2 * 60_000, skipMiddlewares: true };

/** Socket.IO with connection state recovery, WebSocket only. */
export const server: ServerContestant = {
  async start({ users, secret }) {
    const verify = createTokenVerifier(secret);
    const http = createServer();
    const io = new Server<Record<string, never>, ServerEvents, Record<string, never>, SocketData>(http, {
      transports: ['websocket'],
      serveClient: false,
      connectionStateRecovery: RECOVERY,
    });
    io.use((socket, proceed) => {
      const token: unknown = socket.handshake.auth['token'];
      verify(typeof token === 'string' ? token : '').then(
        ({ userId }) => {
          socket.data.userId = userId;
          proceed();
        },
        () => proceed(new Error('unauthorized')),
      );
    });
    io.on('connection', (socket) => {
      // A recovered socket is in its rooms again.
      if (!socket.recovered) void socket.join(socket.data.userId);
    });
    const seqs = new Uint32Array(users.length);
    const rooms = users.map(({ id }) => id);
    const port = await listenOnLoopback(http);
    return {
      port,
      prepare: () => Promise.resolve(),
      finish: () => Promise.resolve(),
      emit(user, text) {
        const seq = (seqs[user] ?? 0) + 1;
        seqs[user] = seq;
        io.to(rooms[user] ?? '').emit('event', deltaEvent(seq, text));
        return undefined;
      },
      stats: () => ({ clients: io.engine.clientsCount }),
      close: () => io.close(),
    };
  },
};

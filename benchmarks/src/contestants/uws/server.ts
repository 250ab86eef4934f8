import { ConnectionTable } from '../connection-table.js';
import type { ServerContestant } from '../contract.js';
import { deltaEvent } from '../delta.js';
import { bearerToken, createTokenVerifier, type VerifyToken } from '../tokens.js';
import {
  loadUws,
  type UwsBehavior,
  type UwsLibrary,
  type UwsListenSocket,
  type UwsWebSocket,
} from './library.js';

interface UserData {
  readonly user: number;
}

/** How much is held back for a reader that is behind; beyond it events are dropped. Undefined: as it comes, 64 KiB. */
export interface UwsOptions {
  readonly maxBackpressure: number | undefined;
}

/** uWebSockets.js: one `send` per event and connection, nothing kept. */
export function createUwsServer({ maxBackpressure }: UwsOptions): ServerContestant {
  return {
    async start({ users, secret }) {
      const uws = loadUws();
      const connections = new ConnectionTable<UwsWebSocket<UserData>>(users);
      const seqs = new Uint32Array(users.length);
      const limit = maxBackpressure === undefined ? {} : { maxBackpressure };
      const behavior = behaviorOf(connections, createTokenVerifier(secret));
      const socket = await listen(uws, { ...behavior, ...limit });
      let dropped = 0;
      return {
        port: uws.us_socket_local_port(socket),
        prepare: () => Promise.resolve(),
        finish: () => Promise.resolve(),
        emit(user, text) {
          const seq = (seqs[user] ?? 0) + 1;
          seqs[user] = seq;
          const json = JSON.stringify(deltaEvent(seq, text));
          for (const webSocket of connections.of(user)) if (webSocket.send(json) === DROPPED) dropped += 1;
          return undefined;
        },
        stats: () => ({ dropped }),
        async close() {
          // Each takes itself off the table.
          for (const webSocket of Array.from(connections.all())) webSocket.close();
          uws.us_listen_socket_close(socket);
        },
      };
    },
  };
}

const DROPPED = 2;

function behaviorOf(
  connections: ConnectionTable<UwsWebSocket<UserData>>,
  verify: VerifyToken,
): UwsBehavior<UserData> {
  return {
    upgrade(response, request, context) {
      // The request is gone when this returns.
      const key = request.getHeader('sec-websocket-key');
      const protocol = request.getHeader('sec-websocket-protocol');
      const extensions = request.getHeader('sec-websocket-extensions');
      const token = bearerToken(request.getHeader('authorization'));
      let aborted = false;
      response.onAborted(() => {
        aborted = true;
      });
      verify(token).then(
        ({ userId }) => {
          if (aborted) return;
          const data = { user: connections.userOf(userId) };
          response.cork(() => response.upgrade(data, key, protocol, extensions, context));
        },
        () => {
          if (!aborted) response.cork(() => response.writeStatus('401 Unauthorized').end());
        },
      );
    },
    open: (webSocket) => connections.add(webSocket.getUserData().user, webSocket),
    close: (webSocket) => connections.delete(webSocket.getUserData().user, webSocket),
  };
}

function listen(uws: UwsLibrary, behavior: UwsBehavior<UserData>): Promise<UwsListenSocket> {
  return new Promise((resolve, reject) => {
    uws
      .App()
      .ws('/*', behavior)
      .listen('127.0.0.1', 0, (socket) => {
        if (socket === false) reject(new Error('uWebSockets.js found no free port.'));
        else resolve(socket);
      });
  });
}

import { createServer } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { ConnectionTable } from '../connection-table.js';
import type { ServerContestant } from '../contract.js';
import { deltaEvent } from '../delta.js';
import { closeServer, listenOnLoopback } from '../listening.js';
import { Ring } from '../ring.js';
import { bearerToken, createTokenVerifier } from '../tokens.js';

/** What one writes by hand when bare `ws` does not resume: a ring of events per user, and `?since=`. */
export const server: ServerContestant = {
  async start({ users, secret }) {
    const verify = createTokenVerifier(secret);
    const connections = new ConnectionTable<WebSocket>(users);
    const rings = users.map(() => new Ring());
    const ringOf = (user: number): Ring => {
      const ring = rings[user];
      if (ring === undefined) throw new Error(`There is no user ${user} in this run.`);
      return ring;
    };
    const http = createServer();
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false });
    const opened = (webSocket: WebSocket, user: number, since: string | null): void => {
      if (since !== null) for (const json of ringOf(user).after(Number(since))) webSocket.send(json);
      connections.add(user, webSocket);
      webSocket.on('close', () => connections.delete(user, webSocket));
      webSocket.on('error', () => webSocket.terminate());
    };
    http.on('upgrade', (request, socket, head) => {
      const since = new URLSearchParams(request.url?.split('?')[1]).get('since');
      verify(bearerToken(request.headers.authorization)).then(
        ({ userId }) =>
          sockets.handleUpgrade(request, socket, head, (webSocket) =>
            opened(webSocket, connections.userOf(userId), since),
          ),
        () => socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n'),
      );
    });
    const port = await listenOnLoopback(http);
    return {
      port,
      prepare: () => Promise.resolve(),
      finish: () => Promise.resolve(),
      emit(user, text) {
        const ring = ringOf(user);
        const json = JSON.stringify(deltaEvent(ring.head + 1, text));
        ring.push(json);
        for (const webSocket of connections.of(user)) webSocket.send(json);
        return undefined;
      },
      stats: () => ({}),
      async close() {
        for (const webSocket of connections.all()) webSocket.terminate();
        await closeServer(http);
      },
    };
  },
};

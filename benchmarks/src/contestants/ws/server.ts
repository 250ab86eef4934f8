import { createServer } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import { ConnectionTable } from '../connection-table.js';
import type { ServerContestant } from '../contract.js';
import { deltaEvent } from '../delta.js';
import { closeServer, listenOnLoopback } from '../listening.js';
import { bearerToken, createTokenVerifier } from '../tokens.js';

/** Bare `ws`: one `send` per event and connection, nothing kept. */
export const server: ServerContestant = {
  async start({ users, secret }) {
    const verify = createTokenVerifier(secret);
    const connections = new ConnectionTable<WebSocket>(users);
    const seqs = new Uint32Array(users.length);
    const http = createServer();
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false });
    http.on('upgrade', (request, socket, head) => {
      verify(bearerToken(request.headers.authorization)).then(
        ({ userId }) =>
          sockets.handleUpgrade(request, socket, head, (webSocket) => {
            const user = connections.userOf(userId);
            connections.add(user, webSocket);
            webSocket.on('close', () => connections.delete(user, webSocket));
            webSocket.on('error', () => webSocket.terminate());
          }),
        () => socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n'),
      );
    });
    const port = await listenOnLoopback(http);
    return {
      port,
      prepare: () => Promise.resolve(),
      finish: () => Promise.resolve(),
      emit(user, text) {
        const seq = (seqs[user] ?? 0) + 1;
        seqs[user] = seq;
        const json = JSON.stringify(deltaEvent(seq, text));
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

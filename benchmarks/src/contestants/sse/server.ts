import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { ConnectionTable } from '../connection-table.js';
import type { ServerContestant } from '../contract.js';
import { deltaEvent } from '../delta.js';
import { closeServer, listenOnLoopback } from '../listening.js';
import { Ring } from '../ring.js';
import { bearerToken, createTokenVerifier } from '../tokens.js';

const HEADERS = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' };

/** Server-sent events on `node:http`: an `id:` for each event, a ring per user, and `Last-Event-ID`. */
export const server: ServerContestant = {
  async start({ users, secret }) {
    const verify = createTokenVerifier(secret);
    const connections = new ConnectionTable<ServerResponse>(users);
    const rings = users.map(() => new Ring());
    const ringOf = (user: number): Ring => {
      const ring = rings[user];
      if (ring === undefined) throw new Error(`There is no user ${user} in this run.`);
      return ring;
    };
    const opened = (user: number, request: IncomingMessage, response: ServerResponse): void => {
      request.socket.setNoDelay(true);
      response.writeHead(200, HEADERS);
      response.flushHeaders();
      const lastId = request.headers['last-event-id'];
      if (typeof lastId === 'string') {
        for (const message of ringOf(user).after(Number(lastId))) response.write(message);
      }
      connections.add(user, response);
      response.on('close', () => connections.delete(user, response));
    };
    const http = createServer((request, response) => {
      verify(bearerToken(request.headers.authorization)).then(
        ({ userId }) => opened(connections.userOf(userId), request, response),
        () => response.writeHead(401).end(),
      );
    });
    const port = await listenOnLoopback(http);
    return {
      port,
      prepare: () => Promise.resolve(),
      finish: () => Promise.resolve(),
      emit(user, text) {
        const ring = ringOf(user);
        const id = ring.head + 1;
        const message = `id: ${id}\ndata: ${JSON.stringify(deltaEvent(id, text))}\n\n`;
        ring.push(message);
        for (const response of connections.of(user)) response.write(message);
        return undefined;
      },
      stats: () => ({}),
      close: () => closeServer(http),
    };
  },
};

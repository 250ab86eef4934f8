import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createDeferred, createSystemClock } from '@runwire/kernel';
import { WebSocket } from 'ws';
import {
  createSocketServer,
  type SocketServer,
  type SocketServerDeps,
  type SocketServerOptions,
} from '../../src/index.js';
import { createDeps, createPorts, type Ports } from './fixture.js';

/** How a client's socket ended. */
export interface Ended {
  readonly code: number;
  readonly reason: string;
}

/** A socket server on a real HTTP server, port 0, with the machine's clock. */
export interface HttpFixture extends AsyncDisposable {
  readonly ports: Ports;
  readonly server: SocketServer;
  readonly http: Server;
  readonly url: string;
  client(options?: { readonly token?: string; readonly protocols?: readonly string[] }): WebSocket;
  /** A client that has received `connection_established`. */
  ready(): Promise<WebSocket>;
  /** A TCP connection to the server. */
  raw(): Socket;
}

export async function createHttpFixture(
  overrides: Partial<SocketServerDeps> = {},
  options: SocketServerOptions = {},
): Promise<HttpFixture> {
  const clock = createSystemClock();
  const ports = createPorts(clock);
  const server = createSocketServer({ ...createDeps(ports, overrides), clock }, options);
  const http = createServer((request, response) => {
    if (request.url?.startsWith('/api/stream')) {
      response.setHeader('x-request-id', 'req_1');
      server.handleStream(request, response);
      return;
    }
    const { body, headers, status } = server.probe(request);
    response.writeHead(status, headers).end(body);
  });
  http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const url = `ws://127.0.0.1:${port}/ws`;
  const client: HttpFixture['client'] = ({ token, protocols = [] } = {}) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const ws = new WebSocket(url, [...protocols], { headers });
    ws.on('error', () => {});
    return ws;
  };
  return {
    ports,
    server,
    http,
    url,
    client,
    async ready() {
      const ws = client({ token: ports.token() });
      await once(ws, 'message');
      return ws;
    },
    raw() {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      return socket;
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}

export function ended(ws: WebSocket): Promise<Ended> {
  const end = createDeferred<Ended>();
  ws.once('close', (code, reason) => end.resolve({ code, reason: reason.toString() }));
  return end.promise;
}

/** The request of a WebSocket handshake, byte for byte. */
export function handshakeText(token: string, path = '/ws'): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Authorization: Bearer ${token}`,
    '',
    '',
  ].join('\r\n');
}

/** One client frame, masked with zeros. */
export function frame(opcode: number, payload: Uint8Array, fin = true): Buffer {
  const length = payload.byteLength;
  const head = length < 126 ? Buffer.alloc(2) : Buffer.alloc(length < 65_536 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | opcode;
  if (length < 126) head[1] = 0x80 | length;
  else if (length < 65_536) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

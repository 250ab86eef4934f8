import { IncomingMessage } from 'node:http';
import { Socket as NetSocket } from 'node:net';
import { LIMITS } from '@runwire/protocol';
import type { SocketServer, SocketServerDeps, SocketServerStats, UpgradeAnswer } from '../contract.js';
import { HostLifecycle } from '../host-lifecycle.js';
import { resolveOptions, type SocketServerOptions } from '../options.js';
import type { Socket } from '../socket.js';
import { SocketHost } from '../socket-host.js';
import { type Entrance, STREAM_ENTRANCE, WEBSOCKET_ENTRANCE } from '../upgrade.js';
import { createMemorySocket, type MemoryPeer } from './memory-socket.js';

/** How a peer in memory asks for its upgrade. */
export interface MemoryUpgrade {
  /** Path and query. @defaultValue '/ws' */
  readonly url?: string;
  /** Header names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What `request.socket.remoteAddress` is. @defaultValue '127.0.0.1' */
  readonly remoteAddress?: string;
  /** A stream's peer sends by `receive`; it answers no ping and no close. @defaultValue 'websocket' */
  readonly transport?: 'websocket' | 'stream';
}

/** What came of an upgrade in memory. */
export type MemoryConnect =
  | { readonly kind: 'accepted'; readonly peer: MemoryPeer }
  | { readonly kind: 'refused'; readonly answer: UpgradeAnswer };

/** A socket server without a network: everything of the real one but `ws`. */
export interface MemorySocketServer extends Omit<SocketServer, 'handleStream' | 'handleUpgrade' | 'probe'> {
  /** Asks for an upgrade. */
  connect(upgrade?: MemoryUpgrade): MemoryConnect;
  /** As {@link MemorySocketServer.connect}, for callers that expect to be accepted; throws the answer otherwise. */
  accept(upgrade?: MemoryUpgrade): MemoryPeer;
  /** Asks for an upgrade that is served on a socket of the caller's; what it was answered when it is refused. */
  connectSocket(socket: Socket, upgrade?: MemoryUpgrade): UpgradeAnswer | undefined;
  /** As `SocketServer.probe`. */
  probe(upgrade?: MemoryUpgrade): UpgradeAnswer;
}

/**
 * Creates a socket server that peers reach in memory. With a manual clock nothing happens by itself: every
 * instant is the test's.
 *
 * @throws SocketError `SOCKET_INVALID_OPTION`
 */
export function createMemorySocketServer(
  deps: SocketServerDeps,
  options: SocketServerOptions = {},
): MemorySocketServer {
  const host = new SocketHost(deps, resolveOptions(options));
  const lifecycle = new HostLifecycle(host);
  const connect = (upgrade: MemoryUpgrade = {}): MemoryConnect => {
    const pending = host.request(requestOf(upgrade), entranceOf(upgrade));
    if (pending.kind === 'refused') return { kind: 'refused', answer: pending.answer };
    const { peer, socket } = createMemorySocket();
    pending.accept(socket);
    return { kind: 'accepted', peer };
  };
  return {
    connect,
    accept(upgrade) {
      const connected = connect(upgrade);
      if (connected.kind === 'accepted') return connected.peer;
      throw new Error(`Refused: ${connected.answer.status} ${connected.answer.body}`);
    },
    connectSocket(socket, upgrade = {}) {
      const pending = host.request(requestOf(upgrade), entranceOf(upgrade));
      if (pending.kind === 'refused') return pending.answer;
      pending.accept(socket);
      return undefined;
    },
    probe: (upgrade = {}) => host.probe(requestOf(upgrade)),
    receive: (post) => host.receive(post),
    hasStream: (connectionId) => host.hasStream(connectionId),
    stats: (): SocketServerStats => host.stats(),
    get closed() {
      return lifecycle.closed;
    },
    drain: ({ timeoutMs = LIMITS.drainWindowMs } = {}) => lifecycle.drain(timeoutMs),
    close: () => lifecycle.close(),
    [Symbol.asyncDispose]: () => lifecycle.close(),
  };
}

function entranceOf({ transport = 'websocket' }: MemoryUpgrade): Entrance {
  return transport === 'stream' ? STREAM_ENTRANCE : WEBSOCKET_ENTRANCE;
}

/** A real request on a socket that is connected to nothing. */
function requestOf({
  headers = {},
  remoteAddress = '127.0.0.1',
  url = '/ws',
}: MemoryUpgrade): IncomingMessage {
  const socket = new NetSocket();
  Object.defineProperty(socket, 'remoteAddress', { value: remoteAddress });
  const request = new IncomingMessage(socket);
  request.method = 'GET';
  request.url = url;
  Object.assign(request.headers, { host: 'localhost', ...headers });
  return request;
}

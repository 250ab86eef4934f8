import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { LIMITS } from '@runwire/protocol';
import { SseSocket } from './adapters/sse.js';
import { createWsUpgrader, type Upgrader } from './adapters/ws.js';
import type {
  PostAnswer,
  PostedMessage,
  SocketServer,
  SocketServerDeps,
  SocketServerStats,
  UpgradeAnswer,
} from './contract.js';
import { HostLifecycle } from './host-lifecycle.js';
import { resolveOptions, type SocketServerOptions } from './options.js';
import { SocketHost } from './socket-host.js';
import { formatAnswer, malformedAnswer, STREAM_ENTRANCE, WEBSOCKET_ENTRANCE } from './upgrade.js';

/**
 * Creates a socket server. It listens to nothing by itself: hand its `handleUpgrade` to an HTTP server.
 *
 * @throws SocketError `SOCKET_INVALID_OPTION`
 */
export function createSocketServer(deps: SocketServerDeps, options: SocketServerOptions = {}): SocketServer {
  const resolved = resolveOptions(options);
  return new HttpSocketServer(new SocketHost(deps, resolved), createWsUpgrader(resolved.limits, deps.clock));
}

/** The host behind an HTTP server's upgrades and streams. */
class HttpSocketServer implements SocketServer {
  readonly #host: SocketHost;
  readonly #upgrader: Upgrader;
  readonly #lifecycle: HostLifecycle;

  constructor(host: SocketHost, upgrader: Upgrader) {
    this.#host = host;
    this.#upgrader = upgrader;
    this.#lifecycle = new HostLifecycle(host);
  }

  get closed(): Promise<void> {
    return this.#lifecycle.closed;
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const pending = this.#host.request(request, WEBSOCKET_ENTRANCE);
    if (pending.kind === 'refused') {
      refuse(socket, pending.answer);
      return;
    }
    let settled = false;
    try {
      this.#upgrader.upgrade(request, socket, head, {
        mayWait: pending.hasToken,
        accepted: (accepted) => {
          settled = true;
          pending.accept(accepted);
        },
        malformed: (message) => {
          settled = true;
          pending.abandon('malformed');
          refuse(socket, malformedAnswer(message));
        },
      });
    } catch (cause) {
      this.#host.deps.logger.error({ err: cause }, 'An upgrade failed');
      socket.destroy();
    }
    if (!settled) pending.abandon();
  }

  probe(request: IncomingMessage): UpgradeAnswer {
    return this.#host.probe(request);
  }

  handleStream(request: IncomingMessage, response: ServerResponse): void {
    // A response that has closed tells nobody so again: its connection would wait for its silence to end.
    if (response.destroyed) return;
    const pending = this.#host.request(request, STREAM_ENTRANCE);
    if (pending.kind === 'accepted') pending.accept(new SseSocket(request, response));
    else response.writeHead(pending.answer.status, pending.answer.headers).end(pending.answer.body);
  }

  receive(post: PostedMessage): Promise<PostAnswer> {
    return this.#host.receive(post);
  }

  hasStream(connectionId: string): boolean {
    return this.#host.hasStream(connectionId);
  }

  stats(): SocketServerStats {
    return this.#host.stats();
  }

  drain({ timeoutMs = LIMITS.drainWindowMs }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.#lifecycle.drain(timeoutMs);
  }

  close(): Promise<void> {
    return this.#lifecycle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Answers an upgrade that is not accepted, and ends the socket. */
function refuse(socket: Duplex, answer: UpgradeAnswer): void {
  const onError = (): void => void socket.destroy();
  socket.on('error', onError);
  socket.once('finish', () => socket.destroy());
  socket.once('close', () => socket.removeListener('error', onError));
  socket.end(formatAnswer(answer));
}

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** What is used of uWebSockets.js. */
export interface UwsLibrary {
  App(): UwsApp;
  us_listen_socket_close(socket: UwsListenSocket): void;
  us_socket_local_port(socket: UwsListenSocket): number;
}

/** An application that routes requests. */
export interface UwsApp {
  ws<T>(pattern: string, behavior: UwsBehavior<T>): UwsApp;
  listen(host: string, port: number, listening: (socket: UwsListenSocket | false) => void): UwsApp;
}

/** How a route behaves. */
export interface UwsBehavior<T> {
  readonly maxBackpressure?: number;
  readonly upgrade: (response: UwsResponse<T>, request: UwsRequest, context: UwsContext) => void;
  readonly open: (webSocket: UwsWebSocket<T>) => void;
  readonly close: (webSocket: UwsWebSocket<T>) => void;
}

/** A request; gone when its handler returns. */
export interface UwsRequest {
  getHeader(name: string): string;
}

/** A response that may become a WebSocket. */
export interface UwsResponse<T> {
  onAborted(aborted: () => void): void;
  cork(write: () => void): void;
  writeStatus(status: string): UwsResponse<T>;
  end(): void;
  upgrade(data: T, key: string, protocol: string, extensions: string, context: UwsContext): void;
}

/** An open WebSocket. */
export interface UwsWebSocket<T> {
  getUserData(): T;
  /** 0: buffered, 1: written, 2: dropped for backpressure. */
  send(message: string): number;
  close(): void;
}

declare const LISTEN_SOCKET: unique symbol;
/** What `listen` gives. */
export interface UwsListenSocket {
  readonly [LISTEN_SOCKET]: never;
}

declare const CONTEXT: unique symbol;
/** What an upgrade is given and passes on. */
export interface UwsContext {
  readonly [CONTEXT]: never;
}

/** The folder into which `npm ci` puts the peers that are too large to be dependencies. */
export const PEERS_DIRECTORY: string = fileURLToPath(new URL('../../../peers/', import.meta.url));

/**
 * Loads the native library; never the slower one in JavaScript that its package would fall back to.
 *
 * @throws Error when there is no binary for this platform and version of Node
 */
export function loadUws(): UwsLibrary {
  const { platform, arch, versions } = process;
  const binary = `binaries/uws_${platform}_${arch}_${versions.modules}.node`;
  const require = createRequire(`${PEERS_DIRECTORY}package.json`);
  const library: UwsLibrary = require(`@trufflesuite/uws-js-unofficial/${binary}`);
  return library;
}

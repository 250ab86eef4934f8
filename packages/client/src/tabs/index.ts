/**
 * One connection for several tabs of one user: a WebSocket that is relayed between them. Optional; nothing of it
 * is part of the client itself.
 *
 * @packageDocumentation
 */

export type { WebSocketConstructor, WebSocketLike } from '../ports.js';
export type { TabChannel, TabLocks, TabSocketOptions } from './contract.js';
export { createTabSocket, TAB_SOCKET_DEFAULTS } from './create-tab-socket.js';

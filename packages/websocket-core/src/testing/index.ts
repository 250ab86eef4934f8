/**
 * A socket server in memory: peers without a network, for tests with a manual clock.
 *
 * @packageDocumentation
 */
export type { Socket, SocketEvents } from '../socket.js';
export type { MemoryConnect, MemorySocketServer, MemoryUpgrade } from './memory-server.js';
export { createMemorySocketServer } from './memory-server.js';
export type { MemoryPeer, PeerClose } from './memory-socket.js';

/**
 * From an agent run to every connection of its user: emitters that append to the user's log, and cursors that
 * move over it.
 *
 * @packageDocumentation
 */
export { createWebSocketBridgeFactory } from './bridge-factory.js';
export type {
  BridgeFactoryDeps,
  BridgeStats,
  Connections,
  DeliveryAck,
  DeliveryConnection,
  DeliveryCursor,
  DeliveryObserver,
  DeltaInput,
  EmitterOptions,
  InFlight,
  LargeValueStore,
  TerminalDraft,
  UserEmitter,
  WebSocketBridgeFactory,
} from './contract.js';
export type { BridgeErrorCode } from './errors.js';
export { BRIDGE_ERROR_CODES, BridgeError } from './errors.js';
export type { BridgeOptions, DeliveryOptions, EmitOptions, ResolvedBridgeOptions } from './options.js';
export { DEFAULT_BRIDGE_OPTIONS } from './options.js';

import type { RunStore } from '@runwire/agent-handler';
import type { DeliveryConnection, WebSocketBridgeFactory } from '@runwire/bridge-factory';
import type { EventLog } from '@runwire/event-log';
import type { LogDisk } from '@runwire/event-log-file';

/**
 * For tests and measurements alone: puts something of a test's around a part of the server, such as a log that ends the process
 * behind its third append. Each is called where its part is made; what it returns is used in the part's place by
 * everybody, recovery included. Nothing here is reachable from the environment.
 */
export interface Decorate {
  /** Once, around the opened log. */
  readonly log?: (log: EventLog) => EventLog;
  /** Once, around the store of runs, commands and the outbox. */
  readonly runs?: (runs: RunStore) => RunStore;
  /** Once, around the disk that the file log writes to; never with `RUNWIRE_LOG=memory`. */
  readonly disk?: (disk: LogDisk) => LogDisk;
  /** Bytes after which the file log begins a new segment, so that it does so in a short test. */
  readonly maxSegmentBytes?: number;
  /** Once, around the bridge factory. */
  readonly bridge?: (bridge: WebSocketBridgeFactory) => WebSocketBridgeFactory;
  /** Around each connection that delivery is attached to. */
  readonly connection?: (connection: DeliveryConnection) => DeliveryConnection;
}

/** A bridge factory that hands each connection to `decorate` before it attaches to it. */
export function decorateConnections(
  bridge: WebSocketBridgeFactory,
  decorate: Decorate['connection'],
): WebSocketBridgeFactory {
  if (decorate === undefined) return bridge;
  return {
    createUserEmitter: (context, options) => bridge.createUserEmitter(context, options),
    attach: (connection, resume) => bridge.attach(decorate(connection), resume),
    appendForUser: (userId, drafts, producer) => bridge.appendForUser(userId, drafts, producer),
    stats: () => bridge.stats(),
    close: () => bridge.close(),
    [Symbol.asyncDispose]: () => bridge[Symbol.asyncDispose](),
  };
}

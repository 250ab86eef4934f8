import type { DeliveryConnection } from '@runwire/bridge-factory';
import type { ClientConnection } from '@runwire/websocket-core';

/** The connection as delivery gets it, with its flow looked at. */
export function observeConnection(
  connection: ClientConnection,
  inFlight: (unackedBytes: number, largestFrameBytes: number) => void,
): DeliveryConnection {
  return {
    id: connection.id,
    userId: connection.userId,
    get isOpen() {
      return connection.isOpen;
    },
    get bufferedBytes() {
      return connection.bufferedBytes;
    },
    establish: (delivery) => connection.establish(delivery),
    send: (message) => connection.send(message),
    sendFrames: (frames) => connection.sendFrames(frames),
    onDrain: (listener) => connection.onDrain(listener),
    onClose: (listener) => connection.onClose(listener),
    handle: (type, handler) => connection.handle(type, handler),
    reportInFlight(flow) {
      connection.reportInFlight(flow);
      inFlight(flow.unackedBytes, flow.largestFrameBytes);
    },
    close: (code, reason) => connection.close(code, reason),
  };
}

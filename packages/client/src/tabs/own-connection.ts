import type { Clock } from '@runwire/kernel';
import type { Cursor } from '@runwire/protocol/wire';
import type { WebSocketConstructor, WebSocketLike } from '../ports.js';
import type { Carrier, CarrierEvents } from './carrier.js';
import type { Relay } from './relay.js';
import { createUpstream } from './upstream.js';

/** How a connection of this tab is opened. */
export interface OwnConnectionDeps {
  readonly webSocket: WebSocketConstructor;
  readonly url: string;
  readonly protocols: string[];
  readonly cursor: Cursor | undefined;
  readonly relay: Relay;
  readonly clock: Clock;
}

const OPEN = 1;
const ABNORMAL = 1006;
const ACK = '{"type":"ack"';

/** Connects to the server; others may follow. */
export function openOwnConnection(deps: OwnConnectionDeps, events: CarrierEvents): Carrier {
  const { webSocket, url, protocols, cursor, relay, clock } = deps;
  const socket: WebSocketLike = new webSocket(url, protocols);
  let told = true;

  const end = (code: number, reason: string): void => {
    told = false;
    relay.ended(upstream, code, reason);
  };
  const send = (data: string): void => {
    if (told && socket.readyState === OPEN) socket.send(data);
  };
  const terminate = (): void => {
    end(ABNORMAL, '');
    if (socket.terminate === undefined) socket.close();
    else socket.terminate();
  };
  const upstream = createUpstream({
    clock,
    cursor,
    send,
    fail: () => {
      if (!told) return;
      terminate();
      events.closed(ABNORMAL, 'no life');
    },
  });

  socket.addEventListener('open', () => {
    if (told) events.opened();
  });
  socket.addEventListener('message', ({ data }) => {
    if (!told) return;
    const own = typeof data === 'string' ? relay.received(upstream, data) : data;
    if (own !== undefined) events.received(own);
  });
  socket.addEventListener('close', ({ code, reason }) => {
    if (!told) return;
    end(code, reason);
    events.closed(code, reason);
  });
  socket.addEventListener('error', () => undefined);

  return {
    send(data) {
      if (data.startsWith(ACK)) upstream.ack((JSON.parse(data) as { seq: number }).seq);
      else send(data);
    },
    close() {
      end(1000, '');
      socket.close(1000);
    },
    terminate,
  };
}

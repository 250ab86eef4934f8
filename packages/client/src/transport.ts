import type { TransportKind } from './contract.js';
import type { ResolvedOptions } from './options.js';
import type { WebSocketConstructor } from './ports.js';

/** Chooses what the next connection is made of. */
export interface Transport {
  readonly kind: TransportKind;
  /** Makes the sockets; undefined until `load` has. */
  readonly socket: WebSocketConstructor | undefined;
  /** Fetches what the sockets are made by. False if it cannot be had now. */
  load(): Promise<boolean>;
  /** An attempt ended before it was established. `blocked`: as where WebSockets are blocked. */
  failed(blocked: boolean): void;
  /** A connection is established. */
  works(): void;
}

/** Creates the choice of one client: `auto` begins with WebSocket. */
export function createTransport({ transport, webSocket, fetch, clock }: ResolvedOptions): Transport {
  let kind: TransportKind = transport === 'sse' ? 'sse' : 'websocket';
  let sse: WebSocketConstructor | undefined;
  let kept = transport !== 'auto' || fetch === undefined;

  return {
    get kind() {
      return kind;
    },
    get socket() {
      return kind === 'sse' ? sse : webSocket;
    },
    async load() {
      try {
        // Few need it, so it is no part of what everybody loads.
        const { createSseSocket } = await import('./sse-socket.js');
        if (fetch !== undefined) sse = createSseSocket({ fetch, clock });
      } catch {
        this.failed(false);
      }
      return sse !== undefined;
    },
    failed(blocked) {
      if (kept) return;
      kind = blocked && kind === 'websocket' ? 'sse' : 'websocket';
    },
    works() {
      // Where WebSockets were blocked once they are blocked again, and each try costs the user seconds.
      kept ||= kind === 'sse';
    },
  };
}

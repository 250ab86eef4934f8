import type { TransportKind } from './contract.js';
import type { Link, LinkEnd } from './link.js';
import type { ResolvedOptions } from './options.js';
import type { WebSocketConstructor } from './ports.js';

/** Chooses what the next connection is made of (protocol §8, Server-sent events). */
export interface Transport {
  readonly kind: TransportKind;
  /** Makes the sockets; undefined until `load` has. */
  readonly socket: WebSocketConstructor | undefined;
  /** Fetches what the sockets are made by. False if it cannot be had now. */
  load(): Promise<boolean>;
  /** An attempt ended. True when upgrades fail and nobody said why: ask the server. */
  ended(end: LinkEnd, link: Link | undefined): boolean;
  /** The server would accept an upgrade: something on the way blocks it. */
  blocked(): void;
  /** A connection is established. */
  works(): void;
}

const REFUSALS_TO_ASK = 2;

/** Creates the choice of one client: `auto` begins with WebSocket. */
export function createTransport({ transport, webSocket, fetch, clock }: ResolvedOptions): Transport {
  let kind: TransportKind = transport === 'sse' ? 'sse' : 'websocket';
  let sse: WebSocketConstructor | undefined;
  let kept = transport !== 'auto' || fetch === undefined;
  /** WebSocket attempts in a row that were not established, and nobody said why. */
  let refusals = 0;

  const turnTo = (next: TransportKind): void => {
    if (!kept) kind = next;
  };

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
        turnTo('websocket');
      }
      return sse !== undefined;
    },
    ended({ code, hung, stage }, link) {
      const isRefusal = code === 1006 && stage !== 'token' && link?.establishedAtMs === undefined;
      refusals = isRefusal && kind === 'websocket' ? refusals + 1 : 0;
      // Whoever waited ten seconds for nothing is not made to wait ten more.
      if (isRefusal) turnTo(hung === true && kind === 'websocket' ? 'sse' : 'websocket');
      if (refusals < REFUSALS_TO_ASK || kind === 'sse') return false;
      refusals = 0;
      return true;
    },
    blocked: () => turnTo('sse'),
    works() {
      // Where WebSockets were blocked once they are blocked again, and each try costs the user seconds.
      kept ||= kind === 'sse';
    },
  };
}

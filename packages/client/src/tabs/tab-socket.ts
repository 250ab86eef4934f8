import type { Clock } from '@runwire/kernel';
import type { Cursor } from '@runwire/protocol/wire';
import type { WebSocketConstructor, WebSocketLike } from '../ports.js';
import type { Carrier, CarrierEvents } from './carrier.js';
import type { TabChannel } from './contract.js';
import { type Membership, openMembership } from './membership.js';
import type { LobbyMessage } from './messages.js';
import { openOwnConnection } from './own-connection.js';
import type { Relay } from './relay.js';

/** What a socket needs of its tab. */
export interface TabSocketDeps {
  readonly clock: Clock;
  readonly webSocket: WebSocketConstructor;
  readonly relay: Relay;
  readonly joinTimeoutMs: number;
  readonly random: () => number;
  readonly isLeader: () => boolean;
  readonly newId: () => string;
  readonly openLink: (link: string) => TabChannel;
  readonly tellAll: (message: LobbyMessage) => void;
  /** `inPeace`: no other socket is to follow. */
  readonly ended: (socket: TabSocket, inPeace: boolean) => void;
}

type Listener = (event: { readonly data: unknown; readonly code: number; readonly reason: string }) => void;

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 3;
const ABNORMAL = 1006;
/** Tabs that move to the leader's connection do so one after the other. */
const MOVE_WINDOW_MS = 2_000;

/** A socket over the connection of another tab, or over one of its own where that cannot be. */
export class TabSocket implements WebSocketLike {
  readyState = CONNECTING;
  readonly #deps: TabSocketDeps;
  readonly #url: string;
  readonly #protocols: string[];
  readonly #listeners: [type: string, listener: Listener][] = [];
  readonly #events: CarrierEvents = {
    opened: () => {
      if (this.readyState !== CONNECTING) return;
      this.readyState = OPEN;
      this.#emit('open', {});
    },
    received: (data) => {
      if (this.readyState === OPEN) this.#emit('message', { data });
    },
    closed: (code, reason) => this.#end({ code, reason, inPeace: false }),
  };
  #carrier: Carrier | undefined;
  #membership: Membership | undefined;
  #wasMoved = false;

  constructor(deps: TabSocketDeps, url: string, protocols: string[]) {
    this.#deps = deps;
    this.#url = url;
    this.#protocols = protocols;
  }

  /** Starts; the tab knows this socket already. */
  start(): void {
    const start = startOf(this.#url);
    if (start === 'beginning' || this.#deps.isLeader()) this.#connect();
    else this.#join(start);
  }

  /** This tab leads from now on. */
  lead(): void {
    this.#membership?.dissolve();
  }

  /** Another tab leads, and stands at `cursor`. */
  leaderIs(leader: string, cursor: Cursor | null): void {
    this.#membership?.leaderIs(leader);
    const isApart = this.#membership === undefined && this.readyState === OPEN;
    if (!isApart || this.#wasMoved || cursor === null || !this.#deps.relay.knows(cursor)) return;
    // The client moves as away from a draining server: the next socket follows the leader, then this one ends.
    this.#wasMoved = true;
    const reconnectAfterMs = Math.floor(this.#deps.random() * MOVE_WINDOW_MS);
    const data = JSON.stringify({ type: 'server_draining', reconnectAfterMs, deadlineAtMs: 0 });
    this.#emit('message', { data });
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners.push([type, listener as Listener]);
  }

  send(data: string): void {
    if (this.readyState === OPEN) this.#carrier?.send(data);
  }

  close(): void {
    this.#carrier?.close();
    this.#end({ code: 1000, reason: '', inPeace: true });
  }

  terminate(): void {
    this.#carrier?.terminate();
    this.#end({ code: ABNORMAL, reason: '', inPeace: false });
  }

  #connect(): void {
    const { relay } = this.#deps;
    const start = startOf(this.#url);
    const cursor = typeof start === 'object' ? start : undefined;
    const request = { url: this.#url, protocols: this.#protocols, cursor };
    this.#membership = undefined;
    try {
      this.#carrier = openOwnConnection({ ...this.#deps, ...request, relay }, this.#events);
    } catch {
      this.#end({ code: ABNORMAL, reason: 'no socket', inPeace: false });
    }
  }

  #join(start: Cursor | 'live'): void {
    const { newId, openLink, tellAll } = this.#deps;
    const link = newId();
    const cursor = start === 'live' ? null : start;
    this.#membership = openMembership(
      {
        ...this.#deps,
        channel: openLink(link),
        join: () => tellAll({ kind: 'join', link, cursor }),
        gone: () => tellAll({ kind: 'gone', link }),
      },
      { ...this.#events, refused: () => this.#connect() },
    );
    this.#carrier = this.#membership;
  }

  #end({ code, reason, inPeace }: { code: number; reason: string; inPeace: boolean }): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.#membership = undefined;
    this.#carrier = undefined;
    this.#emit('close', { code, reason });
    this.#deps.ended(this, inPeace);
  }

  #emit(type: string, event: Partial<Parameters<Listener>[0]>): void {
    for (const [name, listener] of this.#listeners) {
      if (name === type) listener({ data: undefined, code: 0, reason: '', ...event });
    }
  }
}

/** Where the stream is to start, as a client says it in the address (protocol §2). */
function startOf(url: string): Cursor | 'live' | 'beginning' {
  const { searchParams } = new URL(url);
  const epoch = searchParams.get('epoch');
  const seq = searchParams.get('seq');
  const id = searchParams.get('id');
  if (seq === null) return 'live';
  if (epoch === null) return 'beginning';
  return id === null ? { epoch, seq: Number(seq) } : { epoch, seq: Number(seq), id };
}

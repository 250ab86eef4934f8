import type { Clock, TimerHandle } from '@runwire/kernel';
import type { WebSocketConstructor } from '../ports.js';
import type { TabChannel, TabLocks } from './contract.js';
import type { LobbyMessage } from './messages.js';
import { createRelay, type Relay } from './relay.js';
import { TabSocket } from './tab-socket.js';

/** This tab among those that may share a connection. */
export interface Tab {
  open(url: string, protocols: string[]): TabSocket;
}

/** What a tab is made of. */
export interface TabDeps {
  /** The name of the lock, and the beginning of the names of channels. */
  readonly scope: string;
  readonly userId: string;
  readonly locks: TabLocks;
  readonly channel: (name: string) => TabChannel;
  readonly webSocket: WebSocketConstructor;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  readonly joinTimeoutMs: number;
  readonly maxHistoryChars: number;
}

/** A leader without a socket keeps its place this long: its client is likely to come back at once. */
const IDLE_MS = 1_000;

/** Creates a tab that takes no part yet. */
export function createTab(deps: TabDeps): Tab {
  return new SharingTab(deps);
}

class SharingTab implements Tab {
  readonly #deps: TabDeps;
  readonly #relay: Relay;
  readonly #name: string;
  readonly #sockets = new Set<TabSocket>();
  #lobby: TabChannel | undefined;
  /** Gives the lock back, or stops waiting for it. */
  #giveUp: (() => void) | undefined;
  #leads = false;
  #idle: TimerHandle | undefined;

  constructor(deps: TabDeps) {
    this.#deps = deps;
    this.#name = deps.newId();
    this.#relay = createRelay({
      ...deps,
      leader: this.#name,
      openLink: (link) => this.#openLink(link),
      moved: () => this.#announce(),
    });
  }

  open(url: string, protocols: string[]): TabSocket {
    const deps = {
      ...this.#deps,
      relay: this.#relay,
      isLeader: () => this.#leads,
      openLink: (link: string) => this.#openLink(link),
      tellAll: (message: LobbyMessage) => this.#lobby?.postMessage(message),
      ended: (ended: TabSocket, inPeace: boolean) => this.#ended(ended, inPeace),
    };
    const socket = new TabSocket(deps, url, protocols);
    this.#idle?.cancel();
    this.#sockets.add(socket);
    this.#takePart();
    socket.start();
    return socket;
  }

  #takePart(): void {
    if (this.#lobby !== undefined) return;
    const { channel, scope } = this.#deps;
    this.#lobby = channel(scope);
    this.#lobby.addEventListener('message', ({ data }) => this.#heard(data as LobbyMessage));
    void this.#lead();
  }

  /** Waits for the lock and keeps it until it is given up. Never rejects. */
  async #lead(): Promise<void> {
    const { locks, scope } = this.#deps;
    const abort = new AbortController();
    this.#giveUp = () => abort.abort();
    const keep = new Promise<void>((resolve) => abort.signal.addEventListener('abort', () => resolve()));
    try {
      await locks.request(scope, { signal: abort.signal }, async () => {
        if (abort.signal.aborted) return;
        this.#leads = true;
        for (const socket of this.#sockets) socket.lead();
        this.#announce();
        await keep;
      });
    } catch {
      // It was given up while waiting, or there are no locks here: the others lead, or nobody does.
    }
  }

  #announce(): void {
    if (!this.#leads) return;
    this.#lobby?.postMessage({
      kind: 'leader',
      leader: this.#name,
      cursor: this.#relay.position ?? null,
    } satisfies LobbyMessage);
  }

  #heard(message: LobbyMessage): void {
    switch (message.kind) {
      case 'join':
        if (this.#leads) this.#relay.join(message);
        break;
      case 'gone':
        this.#relay.leave(message.link);
        break;
      case 'leader':
        for (const socket of this.#sockets) socket.leaderIs(message.leader, message.cursor);
        break;
    }
  }

  #ended(socket: TabSocket, inPeace: boolean): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size > 0) return;
    this.#idle?.cancel();
    if (inPeace) this.#leave();
    else this.#idle = this.#deps.clock.setTimer(IDLE_MS, () => this.#leave());
  }

  #leave(): void {
    this.#leads = false;
    this.#relay.dismiss();
    this.#giveUp?.();
    this.#lobby?.close();
    this.#lobby = undefined;
  }

  #openLink(link: string): TabChannel {
    return this.#deps.channel(`${this.#deps.scope}:${link}`);
  }
}

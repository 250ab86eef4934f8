import type { Clock, TimerHandle } from '@runwire/kernel';
import type { Carrier, CarrierEvents } from './carrier.js';
import type { TabChannel } from './contract.js';
import type { ToFollower, ToLeader } from './messages.js';

/** A tab's place among the followers of another. */
export interface Membership extends Carrier {
  /** Asks again: there is a leader, or another one. One that it followed before is gone. */
  leaderIs(leader: string): void;
  /** There is no leader to wait for: it is this tab, say. */
  dissolve(): void;
}

/** How a tab asks for it. */
export interface MembershipDeps {
  readonly clock: Clock;
  readonly channel: TabChannel;
  readonly joinTimeoutMs: number;
  readonly join: () => void;
  /** Takes back what was asked. */
  readonly gone: () => void;
}

/** What a membership tells its socket. After `refused` or `closed` nothing more comes. */
export interface MembershipEvents extends CarrierEvents {
  /** It has to connect by itself. */
  refused(): void;
}

/** A leader that is connecting is given this much longer: a first random wait after a restart is 5 s. */
const LEADER_CONNECT_TIMEOUT_MS = 5_500;
const ABNORMAL = 1006;

/** Asks the leader to share its connection. */
export function openMembership(deps: MembershipDeps, events: MembershipEvents): Membership {
  return new TabMembership(deps, events);
}

class TabMembership implements Membership {
  readonly #deps: MembershipDeps;
  readonly #events: MembershipEvents;
  #timer: TimerHandle | undefined;
  #leader: string | undefined;
  #ended = false;

  constructor(deps: MembershipDeps, events: MembershipEvents) {
    this.#deps = deps;
    this.#events = events;
    deps.channel.addEventListener('message', ({ data }) => this.#heard(data as ToFollower));
    this.#wait(deps.joinTimeoutMs);
    deps.join();
  }

  leaderIs(leader: string): void {
    if (this.#ended || leader === this.#leader) return;
    if (this.#leader === undefined) this.#deps.join();
    else this.#closed(ABNORMAL, 'another tab leads');
  }

  dissolve(): void {
    if (this.#ended) return;
    if (this.#leader === undefined) this.#refused();
    else this.#closed(ABNORMAL, 'this tab leads');
  }

  send(data: string): void {
    this.#tell({ kind: 'send', data });
  }

  close(): void {
    this.#leave(false);
  }

  terminate(): void {
    this.#leave(true);
  }

  #heard(message: ToFollower): void {
    if (this.#ended) return;
    switch (message.kind) {
      case 'wait':
        this.#wait(LEADER_CONNECT_TIMEOUT_MS);
        break;
      case 'refused':
        this.#refused();
        break;
      case 'frame':
        this.#frame(message.leader, message.data);
        break;
      case 'closed':
        this.#closed(message.code, message.reason);
        break;
    }
  }

  #frame(leader: string, data: string): void {
    if (this.#leader === undefined) {
      this.#leader = leader;
      this.#timer?.cancel();
      this.#events.opened();
    }
    if (!this.#ended) this.#events.received(data);
  }

  #wait(timeoutMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#deps.clock.setTimer(timeoutMs, () => this.#refused());
  }

  #refused(): void {
    this.#leave(false);
    this.#events.refused();
  }

  #closed(code: number, reason: string): void {
    this.#end();
    this.#events.closed(code, reason);
  }

  #leave(dead: boolean): void {
    if (this.#ended) return;
    if (this.#leader === undefined) this.#deps.gone();
    else this.#tell({ kind: 'left', dead });
    this.#end();
  }

  #tell(message: ToLeader): void {
    if (!this.#ended) this.#deps.channel.postMessage(message);
  }

  #end(): void {
    this.#ended = true;
    this.#timer?.cancel();
    this.#deps.channel.close();
  }
}

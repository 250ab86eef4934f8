import type { Clock, TimerHandle } from '@runwire/kernel';
import type { Link } from './link.js';
import { fullJitter, type ReconnectDelays } from './reconnect.js';

/** The move away from a draining server: make before break (protocol §3, `server_draining`). */
export interface Handover {
  /** True from `server_draining` on. */
  readonly active: boolean;
  /** The link that is to take over. */
  readonly next: Link | undefined;
  /** Opens the next link in `delayMs`. Once per move. */
  start(delayMs: number): void;
  /** True if `link` was the next and is gone: the old one is kept, another next is tried with jitter. */
  refused(link: Link): boolean;
  /** The move is over, one way or another; `next` is its taker's. */
  end(): void;
}

/** What a handover needs of its connector. */
export interface HandoverDeps {
  readonly clock: Clock;
  readonly random: () => number;
  readonly delays: () => ReconnectDelays;
  /** Opens a link that replaces the present one; undefined if there is none. */
  readonly open: () => Link | undefined;
}

/** Creates a handover, inactive. */
export function createHandover({ clock, random, delays, open }: HandoverDeps): Handover {
  let active = false;
  let refusals = 0;
  let timer: TimerHandle | undefined;
  let next: Link | undefined;

  const openIn = (delayMs: number): void => {
    timer = clock.setTimer(delayMs, () => {
      next = open();
    });
  };

  return {
    get active() {
      return active;
    },
    get next() {
      return next;
    },
    start(delayMs) {
      if (active) return;
      active = true;
      openIn(delayMs);
    },
    refused(link) {
      if (next === undefined || link !== next) return false;
      next = undefined;
      refusals += 1;
      openIn(fullJitter(refusals, delays(), random));
      return true;
    },
    end() {
      active = false;
      refusals = 0;
      timer?.cancel();
      next = undefined;
    },
  };
}

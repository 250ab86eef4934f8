import type { UserId } from '@runwire/id-generation';
import type { Clock, TimerHandle } from '@runwire/kernel';
import { SlidingWindow, type Verdict } from './rate-window.js';

const MINUTE_MS = 60_000;

/**
 * Commands per user and minute, shared by the user's connections. A user's window outlives the connections, so
 * that reconnecting buys nothing, and goes when nothing in it counts any more.
 */
export class CommandLimits {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #windows = new Map<UserId, SlidingWindow>();
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  get users(): number {
    return this.#windows.size;
  }

  get timers(): number {
    return this.#timer === undefined ? 0 : 1;
  }

  take(userId: UserId): Verdict {
    let window = this.#windows.get(userId);
    if (window === undefined) {
      window = new SlidingWindow(this.#limit, MINUTE_MS);
      this.#windows.set(userId, window);
    }
    this.#timer ??= this.#clock.setTimer(MINUTE_MS, () => this.#sweep());
    return window.take(this.#clock.monotonicMs());
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#windows.clear();
  }

  #sweep(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.monotonicMs();
    for (const [userId, window] of this.#windows) {
      if (window.isIdle(nowMs)) this.#windows.delete(userId);
    }
    if (this.#windows.size > 0) this.#timer = this.#clock.setTimer(MINUTE_MS, () => this.#sweep());
  }
}

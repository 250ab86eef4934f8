import type { Clock, TimerHandle } from '@runwire/kernel';

/** Looks at regular intervals, from `start` to `stop`. */
export class HealthMonitor {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #look: () => void;
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, intervalMs: number, look: () => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#look = look;
  }

  get running(): boolean {
    return this.#timer !== undefined;
  }

  start(): void {
    this.#timer ??= this.#clock.setTimer(this.#intervalMs, () => {
      this.#timer = undefined;
      this.start();
      this.#look();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

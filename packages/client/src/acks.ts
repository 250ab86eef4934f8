import type { Clock, TimerHandle } from '@runwire/kernel';
import { CLIENT_LIMITS } from '@runwire/protocol/wire';

/** Tells the server what was applied (protocol §3, Liveness and flow). */
export interface Acks {
  /** A frame of `bytes` was handled; `applied` is the position reached. Acks at once while `behind`. */
  note(bytes: number, applied: number, behind: boolean): void;
  /** Sends what is due and has no more timers. */
  stop(): void;
}

/** What acks need of their connection. */
export interface AcksDeps {
  readonly clock: Clock;
  readonly send: (seq: number) => void;
}

/** A server drops more than 100 acks a second, and a dropped last one would stall it: stay well below. */
const BURST = 30;
const REFILL_MS = 1_000 / 60;

/** Creates the acks of one connection, whose server has everything up to `acked` acknowledged. */
export function createAcks(deps: AcksDeps, acked: number): Acks {
  return new CumulativeAcks(deps, acked);
}

class CumulativeAcks implements Acks {
  readonly #deps: AcksDeps;
  #acked: number;
  #applied: number;
  #bytes = 0;
  #tokens = BURST;
  #refilledAtMs: number;
  #timer: { readonly handle: TimerHandle; readonly atMs: number } | undefined;
  #stopped = false;

  constructor(deps: AcksDeps, acked: number) {
    this.#deps = deps;
    this.#acked = acked;
    this.#applied = acked;
    this.#refilledAtMs = deps.clock.monotonicMs();
  }

  note(bytes: number, applied: number, behind: boolean): void {
    if (this.#stopped) return;
    this.#bytes += bytes;
    this.#applied = Math.max(this.#applied, applied);
    if (this.#applied <= this.#acked) return;
    if (!behind && this.#bytes < CLIENT_LIMITS.ackEveryBytes) this.#sendIn(CLIENT_LIMITS.ackDelayMs);
    else if (this.#takeToken()) this.#send();
    else this.#sendIn(REFILL_MS);
  }

  stop(): void {
    this.#send();
    this.#stopped = true;
    this.#timer?.handle.cancel();
  }

  #send(): void {
    this.#timer?.handle.cancel();
    this.#timer = undefined;
    this.#bytes = 0;
    if (this.#stopped || this.#applied <= this.#acked) return;
    this.#acked = this.#applied;
    this.#deps.send(this.#acked);
  }

  #sendIn(delayMs: number): void {
    const atMs = this.#deps.clock.monotonicMs() + delayMs;
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return;
    this.#timer?.handle.cancel();
    const handle = this.#deps.clock.setTimer(delayMs, () => {
      this.#takeToken();
      this.#send();
    });
    this.#timer = { handle, atMs };
  }

  #takeToken(): boolean {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#tokens = Math.min(BURST, this.#tokens + (nowMs - this.#refilledAtMs) / REFILL_MS);
    this.#refilledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** After so many bytes a client that is not behind acks, or after so long. */
const ACK_EVERY_BYTES = 65_536;
const ACK_DELAY_MS = 250;
/** A server drops more than 100 acks a second; the client of the project stays below by this bucket. */
const BURST = 30;
const REFILL_MS = 1_000 / 60;

/** Cumulative acks as the client of the project sends them (protocol §3): by bytes, by time, each turn while behind. */
export class Acks {
  readonly #send: (seq: number) => void;
  #acked: number;
  #applied: number;
  #bytes = 0;
  #tokens = BURST;
  #refilledAtMs = performance.now();
  #turn: NodeJS.Immediate | undefined;
  #timer: { readonly handle: NodeJS.Timeout; readonly atMs: number } | undefined;

  constructor(send: (seq: number) => void, acked: number) {
    this.#send = send;
    this.#acked = acked;
    this.#applied = acked;
  }

  /** A frame of `bytes` was applied up to `applied`. */
  note(bytes: number, applied: number, behind: boolean): void {
    this.#bytes += bytes;
    this.#applied = applied;
    if (applied <= this.#acked) return;
    if (this.#bytes >= ACK_EVERY_BYTES) this.#flush();
    else if (!behind) this.#flushIn(ACK_DELAY_MS);
    else this.#turn ??= setImmediate(() => this.#flushWithTurn());
  }

  stop(): void {
    clearImmediate(this.#turn);
    clearTimeout(this.#timer?.handle);
  }

  /** Frames that arrive together are acknowledged together. */
  #flushWithTurn(): void {
    this.#turn = undefined;
    if (this.#applied <= this.#acked) return;
    if (this.#takeToken()) this.#flush();
    else this.#flushIn(REFILL_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer?.handle);
    this.#timer = undefined;
    this.#bytes = 0;
    if (this.#applied <= this.#acked) return;
    this.#acked = this.#applied;
    this.#send(this.#acked);
  }

  #flushIn(delayMs: number): void {
    const atMs = performance.now() + delayMs;
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return;
    clearTimeout(this.#timer?.handle);
    const handle = setTimeout(() => {
      this.#takeToken();
      this.#flush();
    }, delayMs);
    this.#timer = { handle, atMs };
  }

  #takeToken(): boolean {
    const nowMs = performance.now();
    this.#tokens = Math.min(BURST, this.#tokens + (nowMs - this.#refilledAtMs) / REFILL_MS);
    this.#refilledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

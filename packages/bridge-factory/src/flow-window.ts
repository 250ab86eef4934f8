/** One frame in flight. */
interface SentFrame {
  readonly seq: number;
  readonly bytes: number;
  readonly sentAtMs: number;
}

/**
 * What a connection has been sent and has not acknowledged. Pure state; time comes in as an argument.
 *
 * Whether a client acks shows only in its first ack. Until then there is no limit on what is unacked, and no
 * more than two windows of it are remembered: a client that was sent more without acking is taken for one
 * that never does.
 */
export class FlowWindow {
  readonly #maxUnackedBytes: number;
  /** A ring by head index: `shift` would move the rest. Undefined with nothing in flight, as on most connections. */
  #frames: SentFrame[] | undefined;
  #head = 0;
  /** Frames by falling size, each later than the one before: the first is the largest in flight. */
  #largest: SentFrame[] | undefined;
  #largestHead = 0;
  #unackedBytes = 0;
  #acks: 'unknown' | 'yes' | 'no' = 'unknown';

  constructor(maxUnackedBytes: number) {
    this.#maxUnackedBytes = maxUnackedBytes;
  }

  /** 0 for a client that does not ack. */
  get unackedBytes(): number {
    return this.#acks === 'no' ? 0 : this.#unackedBytes;
  }

  /** Bytes of the largest frame in flight; 0 without one, or for a client that does not ack. */
  get largestFrameBytes(): number {
    return this.#acks === 'no' ? 0 : (this.#largest?.[this.#largestHead]?.bytes ?? 0);
  }

  /** How many bytes may still be sent. One frame may always follow when nothing is in flight. */
  get roomBytes(): number {
    if (this.#acks !== 'yes') return Number.POSITIVE_INFINITY;
    return Math.max(0, this.#maxUnackedBytes - this.#unackedBytes);
  }

  /** Whether so much of the window is free that reading a page is worth it. */
  get isRoomy(): boolean {
    return this.#acks !== 'yes' || this.#unackedBytes <= this.#maxUnackedBytes / 2;
  }

  sent(seq: number, bytes: number, nowMs: number): void {
    const frame = { seq, bytes, sentAtMs: nowMs };
    this.#frames ??= [];
    this.#frames.push(frame);
    this.#unackedBytes += bytes;
    this.#largest ??= [];
    const largest = this.#largest;
    while (largest.length > this.#largestHead && (largest.at(-1)?.bytes ?? 0) <= bytes) largest.pop();
    largest.push(frame);
    if (this.#acks === 'yes') return;
    while (this.#unackedBytes > 2 * this.#maxUnackedBytes && this.#frames.length - this.#head > 1) {
      this.#acks = 'no';
      this.#dropFirst();
    }
  }

  /** Takes a cumulative ack; the instant at which the oldest frame that it covers whole was sent. */
  ack(seq: number): number | undefined {
    this.#acks = 'yes';
    const oldest = this.#frames?.[this.#head];
    if (oldest === undefined || oldest.seq > seq) return undefined;
    for (let next = oldest; next.seq <= seq; ) {
      this.#dropFirst();
      const following = this.#frames?.[this.#head];
      if (following === undefined) break;
      next = following;
    }
    return oldest.sentAtMs;
  }

  /** The position moved: what is in flight belongs to the past. */
  clear(): void {
    this.#frames = undefined;
    this.#head = 0;
    this.#largest = undefined;
    this.#largestHead = 0;
    this.#unackedBytes = 0;
  }

  #dropFirst(): void {
    const frames = this.#frames;
    const largest = this.#largest;
    const frame = frames?.[this.#head];
    if (frames === undefined || largest === undefined || frame === undefined) return;
    this.#head += 1;
    this.#unackedBytes -= frame.bytes;
    if (largest[this.#largestHead] === frame) this.#largestHead += 1;
    if (this.#head === frames.length) {
      this.clear();
      return;
    }
    if (this.#head * 2 > frames.length && this.#head > 32) {
      this.#frames = frames.slice(this.#head);
      this.#head = 0;
    }
    if (this.#largestHead * 2 > largest.length && this.#largestHead > 32) {
      this.#largest = largest.slice(this.#largestHead);
      this.#largestHead = 0;
    }
  }
}

/** Of each frame in flight, one behind the other: its last `seq`, its bytes, when it was sent. */
const NUMBERS_OF_FRAME = 3;
/** Above this many numbers, what lies before the first frame in flight is given back when it is half. */
const MIN_KEPT_NUMBERS = 96;

/**
 * What a connection has been sent and has not acknowledged. Pure state; time comes in as an argument.
 *
 * Whether a client acks shows only in its first ack. Until then there is no limit on what is unacked, and no
 * more than two windows of it are remembered: a client that was sent more without acking is taken for one
 * that never does.
 *
 * Numbers in an array instead of an object for each frame, which would live until its ack and be moved by the
 * garbage collector meanwhile.
 */
export class FlowWindow {
  readonly #maxUnackedBytes: number;
  /** Undefined with nothing in flight, as on most connections. */
  #frames: number[] | undefined;
  /** Where in `#frames` the first one in flight is; `shift` would move the rest. */
  #head = 0;
  /** Where the largest one in flight is. */
  #largestAt = 0;
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
    if (this.#acks === 'no' || this.#frames === undefined) return 0;
    return bytesAt(this.#frames, this.#largestAt);
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
    const frames = this.#frames ?? [];
    this.#frames = frames;
    frames.push(seq, bytes, nowMs);
    this.#unackedBytes += bytes;
    if (bytes >= bytesAt(frames, this.#largestAt)) this.#largestAt = frames.length - NUMBERS_OF_FRAME;
    if (this.#acks === 'yes') return;
    if (this.#unackedBytes <= 2 * this.#maxUnackedBytes || this.#count === 1) return;
    this.#acks = 'no';
    while (this.#unackedBytes > 2 * this.#maxUnackedBytes && this.#count > 1) this.#dropFirst();
    this.#tidy();
  }

  /** Takes a cumulative ack; the instant at which the oldest frame that it covers whole was sent. */
  ack(seq: number): number | undefined {
    this.#acks = 'yes';
    const [oldestSeq, , sentAtMs] = this.#frames?.slice(this.#head, this.#head + NUMBERS_OF_FRAME) ?? [];
    if (oldestSeq === undefined || oldestSeq > seq) return undefined;
    while (this.#count > 0 && (this.#frames?.[this.#head] ?? 0) <= seq) this.#dropFirst();
    this.#tidy();
    return sentAtMs;
  }

  /** The position moved: what is in flight belongs to the past. */
  clear(): void {
    this.#frames = undefined;
    this.#head = 0;
    this.#largestAt = 0;
    this.#unackedBytes = 0;
  }

  get #count(): number {
    return ((this.#frames?.length ?? 0) - this.#head) / NUMBERS_OF_FRAME;
  }

  #dropFirst(): void {
    if (this.#frames === undefined) return;
    this.#unackedBytes -= bytesAt(this.#frames, this.#head);
    this.#head += NUMBERS_OF_FRAME;
  }

  /** After frames were dropped. */
  #tidy(): void {
    const frames = this.#frames;
    if (frames === undefined) return;
    if (this.#count === 0) {
      this.clear();
      return;
    }
    if (this.#largestAt < this.#head) this.#largestAt = largestFrom(frames, this.#head);
    if (this.#head > MIN_KEPT_NUMBERS && this.#head * 2 > frames.length) {
      this.#frames = frames.slice(this.#head);
      this.#largestAt -= this.#head;
      this.#head = 0;
    }
  }
}

function bytesAt(frames: readonly number[], at: number): number {
  return frames[at + 1] ?? 0;
}

function largestFrom(frames: readonly number[], from: number): number {
  let largestAt = from;
  for (let at = from; at < frames.length; at += NUMBERS_OF_FRAME) {
    if (bytesAt(frames, at) >= bytesAt(frames, largestAt)) largestAt = at;
  }
  return largestAt;
}

/** Of each frame in flight, one behind the other: its last `seq`, its bytes, when it was sent. */
const NUMBERS_OF_FRAME = 3;
/** Above this many numbers, what lies before the first frame in flight is given back when it is half. */
const MIN_KEPT_NUMBERS = 96;
/** So many stay for the next frames when nothing is in flight: a paced stream would ask for them with each ack. */
const REUSED_NUMBERS = 24;

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
  /** Undefined until something is sent. */
  #frames: number[] | undefined;
  /** Where in `#frames` the first one in flight is, `shift` would move the rest; and where the last one ends. */
  #head = 0;
  #end = 0;
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
    if (this.#acks === 'no' || this.#count === 0) return 0;
    return this.#bytesAt(this.#largestAt);
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
    const isLargest = this.#count === 0 || bytes >= this.#bytesAt(this.#largestAt);
    if (isLargest) this.#largestAt = this.#end;
    this.#push(seq, bytes, nowMs);
    this.#unackedBytes += bytes;
    if (this.#acks === 'yes') return;
    if (this.#unackedBytes <= 2 * this.#maxUnackedBytes || this.#count === 1) return;
    this.#acks = 'no';
    while (this.#unackedBytes > 2 * this.#maxUnackedBytes && this.#count > 1) this.#dropFirst();
    this.#tidy();
  }

  /** Takes a cumulative ack; the instant at which the oldest frame that it covers whole was sent. */
  ack(seq: number): number | undefined {
    this.#acks = 'yes';
    if (this.#count === 0 || this.#seqAt(this.#head) > seq) return undefined;
    const sentAtMs = this.#frames?.[this.#head + 2];
    while (this.#count > 0 && this.#seqAt(this.#head) <= seq) this.#dropFirst();
    this.#tidy();
    return sentAtMs;
  }

  /** The position moved: what is in flight belongs to the past. */
  clear(): void {
    if ((this.#frames?.length ?? 0) > REUSED_NUMBERS) this.#frames = undefined;
    this.#head = 0;
    this.#end = 0;
    this.#largestAt = 0;
    this.#unackedBytes = 0;
  }

  get #count(): number {
    return (this.#end - this.#head) / NUMBERS_OF_FRAME;
  }

  #seqAt(at: number): number {
    return this.#frames?.[at] ?? 0;
  }

  #bytesAt(at: number): number {
    return this.#frames?.[at + 1] ?? 0;
  }

  #push(seq: number, bytes: number, nowMs: number): void {
    this.#frames ??= [];
    const frames = this.#frames;
    const at = this.#end;
    this.#end += NUMBERS_OF_FRAME;
    if (this.#end > frames.length) {
      frames.push(seq, bytes, nowMs);
    } else {
      frames[at] = seq;
      frames[at + 1] = bytes;
      frames[at + 2] = nowMs;
    }
  }

  #dropFirst(): void {
    this.#unackedBytes -= this.#bytesAt(this.#head);
    this.#head += NUMBERS_OF_FRAME;
  }

  /** After frames were dropped. */
  #tidy(): void {
    if (this.#count === 0) {
      this.clear();
      return;
    }
    if (this.#largestAt < this.#head) this.#largestAt = this.#findLargest();
    if (this.#head > MIN_KEPT_NUMBERS && this.#head * 2 > this.#end) {
      this.#frames = this.#frames?.slice(this.#head, this.#end);
      this.#largestAt -= this.#head;
      this.#end -= this.#head;
      this.#head = 0;
    }
  }

  #findLargest(): number {
    let largestAt = this.#head;
    for (let at = this.#head; at < this.#end; at += NUMBERS_OF_FRAME) {
      if (this.#bytesAt(at) >= this.#bytesAt(largestAt)) largestAt = at;
    }
    return largestAt;
  }
}

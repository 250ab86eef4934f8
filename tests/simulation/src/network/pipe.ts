import type { Prng } from '../prng.js';
import type { Actor, Scheduler, Ticket } from '../scheduler.js';

/** One frame of a WebSocket, or the end of the handshake before the first of them. */
export interface WireFrame {
  readonly kind: 'open' | 'text' | 'ping' | 'pong' | 'close';
  readonly text: string;
  /** With its header, as it travels. */
  readonly bytes: number;
  /** Of a close frame. */
  readonly code?: number;
}

/** How good the way is. May change at any time. */
export interface PathConditions {
  latencyMs: number;
  jitterMs: number;
  bytesPerSecond: number;
  /** Bytes that the kernels of both ends take before the sender has to keep them itself. */
  windowBytes: number;
  /** Bytes that travel together. */
  segmentBytes: number;
}

/** What a pipe tells. */
export interface PipeEvents {
  /** A frame has come whole. */
  received(frame: WireFrame): void;
  /** Nothing more will come: `fin` behind everything that was sent, `rst` whatever was sent. */
  ended(how: 'fin' | 'rst'): void;
  /** Bytes that the sender kept are with the kernel now. */
  flushed(): void;
  /** The byte came behind which the connection was to be cut. */
  cut(): void;
}

/** What a pipe is made of. */
export interface PipeDeps {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly conditions: PathConditions;
  readonly sender: Actor;
  readonly receiver: Actor;
  readonly kernel: Actor;
  /** The receiver handles each frame in a task of its own, as a page does. */
  readonly isOneByOne: boolean;
}

/** More pieces than this are worth no step of their own. */
const MAX_SEGMENTS = 6;

/**
 * One direction of a TCP connection, to the byte: what the sender keeps, what is in the kernels and on the way, what
 * the receiver has read. Frames come whole, in order, once their last byte is there; a receiver that does not read
 * fills the window, and then the sender's own buffer.
 */
export class Pipe {
  readonly #deps: PipeDeps;
  readonly #events: PipeEvents;
  readonly #frames: { readonly frame: WireFrame; readonly end: number }[] = [];
  /** Writes that are not with the kernel whole. They count as buffered whole, as a stream's do. */
  readonly #writes: { readonly start: number; readonly end: number }[] = [];
  /** Positions in bytes since the beginning, each at most the one before. */
  #written = 0;
  #sent = 0;
  #arrived = 0;
  #read = 0;
  #lastArrivalMs = 0;
  #isReading = true;
  #isEndless = true;
  /** The end has come, and waits for what is before it. */
  #end: 'fin' | 'rst' | undefined;
  #isLost = false;
  #held = 0;
  #isHolding = false;
  #cutAt = Infinity;
  #isOpeningWindow = false;
  #delivery: Ticket | undefined;

  constructor(deps: PipeDeps, events: PipeEvents) {
    this.#deps = deps;
    this.#events = events;
  }

  /** Bytes that were written and are not with the kernel. */
  get bufferedBytes(): number {
    return this.#written - (this.#writes[0]?.start ?? this.#written);
  }

  /** Frames written together. */
  write(frames: readonly WireFrame[]): void {
    if (!this.#isEndless) return;
    const start = this.#written;
    for (const frame of frames) {
      this.#written += frame.bytes;
      this.#frames.push({ frame, end: this.#written });
    }
    this.#writes.push({ start, end: this.#written });
    this.#transmit(false);
  }

  /** From now on the receiver reads, or does not. */
  setReading(isReading: boolean): void {
    this.#isReading = isReading;
    if (isReading) this.#deliverSoon(0);
  }

  /** Holds everything up on the way, until {@link Pipe.letGo}. */
  hold(): void {
    this.#isHolding = true;
  }

  /** Ends a hold: what was held up arrives. */
  letGo(): void {
    if (!this.#isHolding) return;
    this.#isHolding = false;
    const held = this.#held;
    this.#held = 0;
    if (held > 0) this.#arrive(held);
    this.#finish();
  }

  /** Everything on the way, and everything to come, is lost. */
  lose(): void {
    this.#isLost = true;
  }

  /** Calls `cut` when so many bytes more have arrived. */
  cutAfter(bytes: number): void {
    this.#cutAt = this.#arrived + bytes;
  }

  /** Forgets a cut that has not come to be. */
  spare(): void {
    this.#cutAt = Infinity;
  }

  /** The sender is gone. `fin`: what the kernel has still arrives; `rst`: nothing does. What it kept itself is gone. */
  end(how: 'fin' | 'rst'): void {
    if (!this.#isEndless) return;
    this.#isEndless = false;
    this.#writes.length = 0;
    const { scheduler, receiver } = this.#deps;
    if (how === 'rst') this.#isReading = false;
    const delayMs = how === 'rst' ? this.#latencyMs() : this.#arrivalDelayMs(0);
    scheduler.schedule(receiver, delayMs, `net ${how}`, () => {
      this.#end = how;
      this.#finish();
    });
  }

  /** A receiver that does not read learns of the end when it does; one that is held up, when that is over. */
  #finish(): void {
    const isBehind = this.#isHolding || !this.#isReading || this.#read < this.#sent;
    if (this.#end === undefined || this.#isLost || (this.#end === 'fin' && isBehind)) return;
    const how = this.#end;
    this.#end = undefined;
    this.#events.ended(how);
  }

  /** Hands to the kernel what the window has room for. */
  #transmit(isLate: boolean): void {
    const { windowBytes, segmentBytes } = this.#deps.conditions;
    const bytes = Math.min(this.#written - this.#sent, windowBytes - (this.#sent - this.#read));
    if (bytes <= 0) return;
    this.#sent += bytes;
    const size = Math.max(segmentBytes, Math.ceil(bytes / MAX_SEGMENTS));
    for (let left = bytes; left > 0; left -= size) this.#travel(Math.min(size, left));
    while (this.#writes[0] !== undefined && this.#writes[0].end <= this.#sent) this.#writes.shift();
    if (isLate)
      this.#deps.scheduler.schedule(this.#deps.sender, 0, 'net flushed', () => this.#events.flushed());
  }

  #travel(bytes: number): void {
    const { scheduler, receiver } = this.#deps;
    scheduler.schedule(receiver, this.#arrivalDelayMs(bytes), 'net bytes', () => this.#arrive(bytes));
  }

  /** Bytes arrive in the order in which they were sent. */
  #arrivalDelayMs(bytes: number): number {
    const { scheduler, conditions } = this.#deps;
    const transferMs = (bytes * 1_000) / conditions.bytesPerSecond;
    const earliestMs = Math.max(scheduler.nowMs + this.#latencyMs(), this.#lastArrivalMs + ORDER_MS);
    this.#lastArrivalMs = earliestMs + transferMs;
    return this.#lastArrivalMs - scheduler.nowMs;
  }

  #latencyMs(): number {
    const { prng, conditions } = this.#deps;
    return conditions.latencyMs + prng.next() * conditions.jitterMs;
  }

  #arrive(bytes: number): void {
    if (this.#isLost) return;
    if (this.#isHolding) {
      this.#held += bytes;
      return;
    }
    this.#arrived = Math.min(this.#arrived + bytes, this.#cutAt);
    this.#deliver();
    if (this.#arrived < this.#cutAt) return;
    this.#isLost = true;
    this.#events.cut();
  }

  #deliver(): void {
    let frames = 0;
    for (let next = this.#frames[0]; next !== undefined; next = this.#frames[0]) {
      if (!this.#isReading || next.end > this.#arrived) break;
      if (this.#deps.isOneByOne && frames > 0) {
        this.#deliverSoon(0);
        break;
      }
      this.#frames.shift();
      this.#read = next.end;
      frames += 1;
      this.#events.received(next.frame);
    }
    // A part of a frame is read too, and waits for the rest in the receiver's memory.
    if (this.#isReading && (this.#frames[0]?.end ?? Infinity) > this.#arrived) this.#read = this.#arrived;
    if (this.#sent < this.#written) this.#openWindow();
    this.#finish();
  }

  #deliverSoon(delayMs: number): void {
    this.#delivery?.cancel();
    const { scheduler, receiver } = this.#deps;
    this.#delivery = scheduler.schedule(receiver, delayMs, 'net read', () => this.#deliver());
  }

  /** The news that there is room travels back to the sender. */
  #openWindow(): void {
    if (this.#isOpeningWindow) return;
    this.#isOpeningWindow = true;
    const { scheduler, kernel } = this.#deps;
    scheduler.schedule(kernel, this.#latencyMs(), 'net window', () => {
      this.#isOpeningWindow = false;
      if (this.#isEndless && !this.#isLost) this.#transmit(true);
    });
  }
}

/** Two pieces do not arrive at one instant. */
const ORDER_MS = 0.001;

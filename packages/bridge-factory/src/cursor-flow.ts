import type { Clock } from '@runwire/kernel';
import type { Cursor, StreamInfo } from '@runwire/protocol';
import type { DeliveryConnection, DeliveryObserver } from './contract.js';
import { FlowWindow } from './flow-window.js';
import type { EventFrame } from './frames.js';
import type { ResolvedBridgeOptions } from './options.js';

/** What the flow of a connection is built from. */
export interface FlowDeps {
  readonly clock: Clock;
  readonly observer: DeliveryObserver | undefined;
  readonly options: ResolvedBridgeOptions['delivery'];
  /** Shared by every cursor of a factory. */
  readonly counters: DeliveryCounters;
}

/** Totals since the start. */
export interface DeliveryCounters {
  eventsSent: number;
  eventsAcked: number;
  acksRejected: number;
  resyncsRejected: number;
}

/** Where one connection stands, what is in flight to it, and how much more it takes. */
export class CursorFlow {
  readonly #connection: DeliveryConnection;
  readonly #deps: FlowDeps;
  readonly #window: FlowWindow;
  #position: Cursor = { epoch: '', seq: 0 };
  #headSeq = 0;
  #ackedSeq = 0;
  /** Acks that were under way when the position moved back may name what was sent before; none beyond. */
  #highestSentSeq = 0;

  constructor(connection: DeliveryConnection, deps: FlowDeps) {
    this.#connection = connection;
    this.#deps = deps;
    this.#window = new FlowWindow(deps.options.maxUnackedBytes);
  }

  /** The last event sent. */
  get position(): Cursor {
    return this.#position;
  }

  get ackedSeq(): number {
    return this.#ackedSeq;
  }

  /** Whether `bytes` more may be pushed: in flight, and into the socket's buffer. */
  hasRoomFor(bytes: number): boolean {
    const { bufferedBytes } = this.#connection;
    const { socketBufferLowBytes, socketBufferHighBytes } = this.#deps.options;
    if (bufferedBytes >= socketBufferLowBytes) return false;
    return bufferedBytes + bytes <= socketBufferHighBytes && bytes <= this.#window.roomBytes;
  }

  /** Whether there is so much room that reading a page is worth it. */
  get isRoomy(): boolean {
    return this.#connection.bufferedBytes < this.#deps.options.socketBufferLowBytes && this.#window.isRoomy;
  }

  /** How large a page may be now. */
  get pageBytes(): number {
    const { maxPageBytes, socketBufferHighBytes } = this.#deps.options;
    const bufferRoom = socketBufferHighBytes - this.#connection.bufferedBytes;
    return Math.max(1, Math.min(maxPageBytes, bufferRoom, this.#window.roomBytes));
  }

  /** The leading frames that may be in flight; one may always be when nothing else is. */
  fitting(frames: readonly EventFrame[]): readonly EventFrame[] {
    let room = this.#window.roomBytes;
    const isIdle = this.#window.unackedBytes === 0;
    const blocked = frames.findIndex((frame, index) => {
      room -= frame.data.byteLength;
      return room < 0 && !(isIdle && index === 0);
    });
    return blocked === -1 ? frames : frames.slice(0, blocked);
  }

  /** Hands frames to the connection in one write and moves the position behind them. */
  send(frames: readonly EventFrame[]): void {
    const last = frames.at(-1);
    if (last === undefined) return;
    this.#connection.sendFrames(frames.map((frame) => frame.data));
    const nowMs = this.#deps.clock.monotonicMs();
    for (const frame of frames) this.#window.sent(frame.seq, frame.data.byteLength, nowMs);
    this.#deps.counters.eventsSent += last.seq - this.#position.seq;
    this.#position = { epoch: this.#position.epoch, seq: last.seq, id: last.id };
    this.#highestSentSeq = Math.max(this.#highestSentSeq, last.seq);
    this.noteHead(last.seq);
    this.report();
  }

  /** Goes on from `position`, which the client has applied. */
  moveTo(position: Cursor, stream: StreamInfo): void {
    const isForward = position.epoch === this.#position.epoch && position.seq <= this.#position.seq;
    if (isForward && position.seq > this.#ackedSeq) this.#count(position.seq, undefined);
    this.#window.clear();
    this.#position = position;
    this.#ackedSeq = position.seq;
    this.#highestSentSeq = Math.max(this.#highestSentSeq, position.seq);
    this.#headSeq = Math.max(stream.head, position.seq);
    this.report();
  }

  /** The stream has grown to at least `seq`. */
  noteHead(seq: number): void {
    if (seq > this.#headSeq) this.#headSeq = seq;
  }

  /** Takes an ack: cumulative, an older one does nothing. False when it names what was never sent. */
  ack(seq: number): boolean {
    if (seq > this.#highestSentSeq) return false;
    if (seq > this.#position.seq) return true;
    const sentAtMs = this.#window.ack(seq);
    if (seq > this.#ackedSeq) this.#count(seq, sentAtMs);
    this.report();
    return true;
  }

  report(): void {
    this.#connection.reportInFlight({
      unackedBytes: this.#window.unackedBytes,
      largestFrameBytes: this.#window.largestFrameBytes,
      sentSeq: this.#position.seq,
      headSeq: this.#headSeq,
    });
  }

  #count(seq: number, sentAtMs: number | undefined): void {
    const events = seq - this.#ackedSeq;
    const { counters, observer, clock } = this.#deps;
    this.#ackedSeq = seq;
    counters.eventsAcked += events;
    observer?.acked?.({
      userId: this.#connection.userId,
      connectionId: this.#connection.id,
      seq,
      events,
      waitedMs: sentAtMs === undefined ? undefined : clock.monotonicMs() - sentAtMs,
    });
  }
}

import type { Clock } from '@runwire/kernel';
import type { Cursor, StreamInfo } from '@runwire/protocol';
import type { DeliveryConnection, DeliveryObserver, InFlight } from './contract.js';
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
export class CursorFlow implements InFlight {
  readonly #connection: DeliveryConnection;
  readonly #deps: FlowDeps;
  readonly #window: FlowWindow;
  #epoch = '';
  #sentSeq = 0;
  /** Of the event at `sentSeq`, if it is known. */
  #sentId: string | undefined;
  #headSeq = 0;
  #ackedSeq = 0;
  /** Acks that were under way when the position moved back may name what was sent before; none beyond. */
  #highestSentSeq = 0;

  constructor(connection: DeliveryConnection, deps: FlowDeps) {
    this.#connection = connection;
    this.#deps = deps;
    this.#window = new FlowWindow(deps.options.maxUnackedBytes);
  }

  get epoch(): string {
    return this.#epoch;
  }

  get sentSeq(): number {
    return this.#sentSeq;
  }

  get headSeq(): number {
    return this.#headSeq;
  }

  get unackedBytes(): number {
    return this.#window.unackedBytes;
  }

  get largestFrameBytes(): number {
    return this.#window.largestFrameBytes;
  }

  /** The last event sent. */
  get position(): Cursor {
    const at = { epoch: this.#epoch, seq: this.#sentSeq };
    return this.#sentId === undefined ? at : { ...at, id: this.#sentId };
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
    const last = frames[frames.length - 1];
    if (last === undefined) return;
    this.#connection.sendFrames(frames.map(dataOf));
    const nowMs = this.#deps.clock.monotonicMs();
    for (const frame of frames) this.#window.sent(frame.seq, frame.data.byteLength, nowMs);
    this.#deps.counters.eventsSent += last.seq - this.#sentSeq;
    this.#sentSeq = last.seq;
    this.#sentId = last.id;
    this.#highestSentSeq = Math.max(this.#highestSentSeq, last.seq);
    this.noteHead(last.seq);
    this.report();
  }

  /** Goes on from `position`, which the client has applied. */
  moveTo({ epoch, seq, id }: Cursor, stream: StreamInfo): void {
    const isForward = epoch === this.#epoch && seq <= this.#sentSeq;
    if (isForward && seq > this.#ackedSeq) this.#count(seq, undefined);
    this.#window.clear();
    this.#epoch = epoch;
    this.#sentSeq = seq;
    this.#sentId = id;
    this.#ackedSeq = seq;
    this.#highestSentSeq = Math.max(this.#highestSentSeq, seq);
    this.#headSeq = Math.max(stream.head, seq);
    this.report();
  }

  /** The stream has grown to at least `seq`. */
  noteHead(seq: number): void {
    if (seq > this.#headSeq) this.#headSeq = seq;
  }

  /** Takes an ack: cumulative, an older one does nothing. False when it names what was never sent. */
  ack(seq: number): boolean {
    if (seq > this.#highestSentSeq) return false;
    if (seq > this.#sentSeq) return true;
    const sentAtMs = this.#window.ack(seq);
    if (seq > this.#ackedSeq) this.#count(seq, sentAtMs);
    this.report();
    return true;
  }

  /** Something in flight has changed, or what is not sent yet. */
  report(): void {
    this.#connection.reportInFlight(this);
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

function dataOf({ data }: EventFrame): Uint8Array {
  return data;
}

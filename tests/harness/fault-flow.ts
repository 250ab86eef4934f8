import type { Socket } from 'node:net';
import { pause } from './deadline.js';

/** What a network does to the bytes that pass it. A field that is left out changes nothing. */
export interface NetworkShape {
  readonly bytesPerSecond?: number;
  /** Added to each direction. */
  readonly latencyMs?: number;
  /** Bytes arrive in pieces of this size, each in a segment of its own. */
  readonly sliceBytes?: number;
  /** How long the end of one side takes to reach the other. */
  readonly closeDelayMs?: number;
  /** A connection that has carried this many bytes to its client is reset, whatever it is in the midst of. */
  readonly cutAfterBytes?: number;
}

/** What one direction of one connection asks of the network it passes. */
export interface FlowNetwork {
  shape(): NetworkShape;
  /** Undefined when bytes may pass; otherwise settles when that may have changed. */
  blocked(): Promise<void> | undefined;
  /** `bytes` more have passed; how many of them may be written before the connection is cut. */
  passing(bytes: number): number;
  cut(): void;
}

/** What is held here before the source is no longer read: the rest stays with its sender. */
const HIGH_BYTES = 65_536;
/** A slow line gives its bytes in this many pieces a second. */
const PIECES_PER_SECOND = 20;

interface Held {
  readonly bytes: Buffer;
  readonly atMs: number;
}

/** One direction of one connection: reads no faster than the other side takes. */
export class FaultFlow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #network: FlowNetwork;
  #queue: Held[] = [];
  #queuedBytes = 0;
  #freeAtMs = 0;
  #running = false;
  #ended = false;
  #isOver = false;

  constructor(from: Socket, to: Socket, network: FlowNetwork) {
    this.#from = from;
    this.#to = to;
    this.#network = network;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => {
      this.#ended = true;
      void this.#run();
    });
    from.on('close', () => {
      if (!this.#ended) this.stop();
    });
    to.on('close', () => this.stop());
  }

  /** The source said that it has ended; what it sent before may still be on its way. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Nothing passes any more; what is held is dropped. */
  stop(): void {
    this.#isOver = true;
    this.#queue = [];
  }

  #take(bytes: Buffer): void {
    if (this.#isOver) return;
    this.#queue.push({ bytes, atMs: performance.now() });
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes > HIGH_BYTES) this.#from.pause();
    void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      await this.#passAll();
    } finally {
      this.#running = false;
    }
  }

  async #passAll(): Promise<void> {
    for (let held = this.#queue[0]; held !== undefined && !this.#isOver; held = this.#queue[0]) {
      await this.#pass(held);
      this.#queue.shift();
      this.#queuedBytes -= held.bytes.length;
      if (this.#queuedBytes <= HIGH_BYTES / 2) this.#from.resume();
    }
    if (!this.#ended || this.#isOver) return;
    await this.#unblocked();
    await pause(this.#network.shape().closeDelayMs ?? 0);
    if (!this.#isOver && this.#queue.length === 0) this.#to.end();
  }

  async #pass({ bytes, atMs }: Held): Promise<void> {
    await until(atMs + (this.#network.shape().latencyMs ?? 0));
    for (let done = 0; done < bytes.length && !this.#isOver; ) {
      await this.#unblocked();
      const { sliceBytes = bytes.length, bytesPerSecond } = this.#network.shape();
      const tick = bytesPerSecond === undefined ? sliceBytes : Math.ceil(bytesPerSecond / PIECES_PER_SECOND);
      const piece = bytes.subarray(done, done + Math.max(1, Math.min(sliceBytes, tick)));
      if (bytesPerSecond !== undefined) await this.#wait((piece.length / bytesPerSecond) * 1_000);
      await this.#unblocked();
      if (this.#isOver) return;
      await this.#write(piece);
      done += piece.length;
      // Each slice leaves before the next is handed over.
      if (sliceBytes < bytes.length) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #write(piece: Buffer): Promise<void> {
    const allowed = this.#network.passing(piece.length);
    if (allowed < piece.length) {
      this.#to.write(piece.subarray(0, allowed), () => this.#network.cut());
      this.stop();
    } else if (!this.#to.write(piece) && !this.#isOver) await drained(this.#to);
  }

  async #wait(ms: number): Promise<void> {
    this.#freeAtMs = Math.max(this.#freeAtMs, performance.now()) + ms;
    await until(this.#freeAtMs);
  }

  async #unblocked(): Promise<void> {
    for (let wait = this.#network.blocked(); wait !== undefined; wait = this.#network.blocked()) {
      if (this.#isOver) return;
      await wait;
    }
  }
}

async function until(atMs: number): Promise<void> {
  const leftMs = atMs - performance.now();
  if (leftMs > 0) await pause(leftMs);
}

/** Settles when the socket takes more, or is gone. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.once('drain', done);
    socket.once('close', done);
  });
}

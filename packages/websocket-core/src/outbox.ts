import type { Logger } from '@runwire/kernel';
import { type ControlMessage, encodeServerMessage } from '@runwire/protocol';
import type { Dispose } from './contract.js';
import { SocketError } from './errors.js';
import { Listeners } from './listeners.js';
import type { SocketLimits } from './options.js';
import type { Socket } from './socket.js';

/** What an outbox needs of its connection. */
export interface OutboxDeps {
  readonly socket: Socket;
  readonly logger: Logger;
  /** `maxHeldFrames` is also how many control messages may wait for `connection_established`. */
  readonly limits: Pick<SocketLimits, 'maxBufferedBytes' | 'maxHeldFrames' | 'socketBufferLowBytes'>;
  /** The peer takes nothing and control messages pile up. */
  overflow(): void;
}

/** Everything that goes out on one connection, in order, and the low mark of its buffer. */
export class Outbox {
  readonly #deps: OutboxDeps;
  readonly #drained: Listeners<[]>;
  #early: ControlMessage[] | undefined = [];
  #aboveLowMark = false;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
    this.#drained = new Listeners(deps.logger);
  }

  get listeners(): number {
    return this.#drained.size;
  }

  /** Sends the first message; what was sent early follows it. */
  establish(message: ControlMessage): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    this.send(message);
    for (const waiting of early) this.send(waiting);
  }

  /** @throws SocketError `SOCKET_NOT_ESTABLISHED` when too many wait for `connection_established` */
  send(message: ControlMessage): void {
    const { limits, socket } = this.#deps;
    if (this.#early !== undefined) {
      if (this.#early.length >= limits.maxHeldFrames) throw notEstablished(message.type);
      this.#early.push(message);
    } else if (socket.bufferedBytes > limits.maxBufferedBytes) {
      // Events wait for room; answers to a peer that asks and never reads would not.
      this.#deps.overflow();
    } else {
      this.#write([Buffer.from(encodeServerMessage(message))]);
    }
  }

  /** @throws SocketError `SOCKET_NOT_ESTABLISHED` */
  sendFrames(frames: readonly Uint8Array[]): void {
    if (this.#early !== undefined) throw notEstablished('events');
    if (frames.length > 0) this.#write(frames);
  }

  onDrain(listener: () => void): Dispose {
    return this.#drained.add(listener);
  }

  /** Something was flushed: tells the listeners when the low mark was passed on the way down. */
  flushed(): void {
    if (!this.#aboveLowMark || this.#isAboveLowMark()) return;
    this.#aboveLowMark = false;
    this.#drained.callAll();
  }

  close(): void {
    this.#drained.clear();
    this.#early = undefined;
  }

  #write(frames: readonly Uint8Array[]): void {
    this.#deps.socket.send(frames);
    if (this.#isAboveLowMark()) this.#aboveLowMark = true;
  }

  #isAboveLowMark(): boolean {
    const { limits, socket } = this.#deps;
    return socket.bufferedBytes >= limits.socketBufferLowBytes;
  }
}

function notEstablished(what: string): SocketError {
  return new SocketError(
    'SOCKET_NOT_ESTABLISHED',
    `connection_established comes first on a connection; ${what} came before it.`,
  );
}

import type { Logger } from '@runwire/kernel';
import { type ControlMessage, encodeServerMessage } from '@runwire/protocol';
import type { ConnectionHost } from './connection-host.js';
import type { Dispose } from './contract.js';
import { SocketError } from './errors.js';
import { Listeners } from './listeners.js';
import type { Socket } from './socket.js';

/** Whose outbox it is. */
export interface OutboxOwner {
  readonly socket: Socket;
  readonly logger: Logger;
  /** The peer takes nothing and control messages pile up. */
  overflow(): void;
}

/** Everything that goes out on one connection, in order, and the low mark of its buffer. */
export class Outbox {
  readonly #host: ConnectionHost;
  readonly #owner: OutboxOwner;
  readonly #drained: Listeners<[]>;
  #early: ControlMessage[] | undefined = [];
  #aboveLowMark = false;

  constructor(host: ConnectionHost, owner: OutboxOwner) {
    this.#host = host;
    this.#owner = owner;
    this.#drained = new Listeners(owner);
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
    const { limits } = this.#host.options;
    if (this.#early !== undefined) {
      // As many may wait here as frames of the peer's may.
      if (this.#early.length >= limits.maxHeldFrames) throw notEstablished(message.type);
      this.#early.push(message);
    } else if (this.#owner.socket.bufferedBytes > limits.maxBufferedBytes) {
      // Events wait for room; answers to a peer that asks and never reads would not.
      this.#owner.overflow();
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
    this.#owner.socket.send(frames);
    if (this.#isAboveLowMark()) this.#aboveLowMark = true;
  }

  #isAboveLowMark(): boolean {
    return this.#owner.socket.bufferedBytes >= this.#host.options.limits.socketBufferLowBytes;
  }
}

function notEstablished(what: string): SocketError {
  return new SocketError(
    'SOCKET_NOT_ESTABLISHED',
    `connection_established comes first on a connection; ${what} came before it.`,
  );
}

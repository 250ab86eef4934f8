import { Buffer } from 'node:buffer';
import type { ConnectionId, UserId } from '@runwire/id-generation';
import type {
  ClientMessageOf,
  ControlMessage,
  ResumeInfo,
  RunwireEvent,
  ServerMessage,
  StreamInfo,
} from '@runwire/protocol';
import { decodeServerFrame, EVENT_CLASS } from '@runwire/protocol';
import type { DeliveryConnection, InFlight } from '../../src/index.js';

type Handler<T extends 'ack' | 'resync'> = (
  message: ClientMessageOf<T>,
  answer: (message: ControlMessage) => void,
) => void;

type Handlers = {
  ack?: Handler<'ack'>;
  resync?: Handler<'resync'>;
};

/** What a connection was given, in order. */
export type Sent =
  | { readonly type: 'established'; readonly stream: StreamInfo; readonly resume: ResumeInfo }
  | ServerMessage;

/** A connection whose socket a test moves: it can stall, drain, close, and be listened to. */
export class FakeConnection implements DeliveryConnection {
  readonly id: ConnectionId;
  readonly userId: UserId;
  readonly sent: Sent[] = [];
  /** One entry per `sendFrames` call. */
  readonly writes: (readonly Uint8Array[])[] = [];
  readonly flows: InFlight[] = [];
  readonly closes: { readonly code: number; readonly reason: string | undefined }[] = [];
  readonly #handlers: Handlers = {};
  readonly #drainListeners = new Set<() => void>();
  readonly #closeListeners = new Set<() => void>();
  readonly #onSent: ((message: Sent) => void) | undefined;
  isOpen = true;
  bufferedBytes = 0;
  /** A stalled socket keeps what it is given. */
  isStalled = false;

  constructor(id: ConnectionId, userId: UserId, onSent?: (message: Sent) => void) {
    this.id = id;
    this.userId = userId;
    this.#onSent = onSent;
  }

  get events(): readonly RunwireEvent[] {
    return this.sent.filter((message): message is RunwireEvent => message.type in EVENT_CLASS);
  }

  get seqs(): readonly number[] {
    return this.events.map((event) => event.seq);
  }

  get types(): readonly string[] {
    return this.sent.map((message) => message.type);
  }

  get flow(): InFlight | undefined {
    return this.flows.at(-1);
  }

  /** Registrations that are still there. */
  get listeners(): number {
    return this.#drainListeners.size + this.#closeListeners.size + Object.keys(this.#handlers).length;
  }

  sentOf<T extends Sent['type']>(type: T): readonly Extract<Sent, { readonly type: T }>[] {
    return this.sent.filter(
      (message): message is Extract<Sent, { readonly type: T }> => message.type === type,
    );
  }

  establish(delivery: { readonly stream: StreamInfo; readonly resume: ResumeInfo }): void {
    if (this.isOpen) this.#keep({ type: 'established', ...delivery });
  }

  send(message: ControlMessage): void {
    if (this.isOpen) this.#keep(message);
  }

  sendFrames(frames: readonly Uint8Array[]): void {
    if (!this.isOpen) return;
    this.writes.push(frames);
    for (const frame of frames) {
      if (this.isStalled) this.bufferedBytes += frame.byteLength;
      for (const message of decodeServerFrame(Buffer.from(frame).toString('utf8'))) this.#keep(message);
    }
  }

  onDrain(listener: () => void): () => void {
    this.#drainListeners.add(listener);
    return () => void this.#drainListeners.delete(listener);
  }

  onClose(listener: () => void): () => void {
    if (!this.isOpen) {
      listener();
      return () => undefined;
    }
    this.#closeListeners.add(listener);
    return () => void this.#closeListeners.delete(listener);
  }

  handle<T extends 'ack' | 'resync'>(type: T, handler: Handler<T>): () => void {
    if (this.#handlers[type] !== undefined) throw new Error(`A second handler of ${type}`);
    this.#handlers[type] = handler as Handlers[T];
    return () => {
      delete this.#handlers[type];
    };
  }

  reportInFlight({ unackedBytes, largestFrameBytes, sentSeq, headSeq }: InFlight): void {
    this.flows.push({ unackedBytes, largestFrameBytes, sentSeq, headSeq });
  }

  close(code = 1006, reason?: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.closes.push({ code, reason });
    for (const listener of this.#closeListeners) listener();
    this.#closeListeners.clear();
  }

  /** The peer reads on: the buffer empties. */
  drain(): void {
    this.bufferedBytes = 0;
    for (const listener of this.#drainListeners) listener();
  }

  ack(seq: number): void {
    this.#handlers.ack?.({ type: 'ack', seq }, (message) => this.send(message));
  }

  resync(resync: Omit<ClientMessageOf<'resync'>, 'type'>): void {
    this.#handlers.resync?.({ type: 'resync', ...resync }, (message) => this.send(message));
  }

  #keep(message: Sent): void {
    this.sent.push(message);
    this.#onSent?.(message);
  }
}

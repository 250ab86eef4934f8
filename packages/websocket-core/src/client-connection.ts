import type { ConnectionId, UserId } from '@runwire/id-generation';
import {
  type ClientMessageOf,
  type CommandMessage,
  type ControlMessage,
  LIMITS,
  type ResumeInfo,
  type StreamInfo,
} from '@runwire/protocol';
import type { RequestContext } from '@runwire/user-context';
import type { CommandHandler } from './commands.js';
import type {
  ClientConnection as ClientConnectionContract,
  CloseInfo,
  ConnectionInfo,
  ConnectionStateKind,
  Dispose,
  InFlight,
} from './contract.js';
import { SocketError } from './errors.js';
import type { Liveness } from './liveness.js';
import type { SocketLimits } from './options.js';
import type { MessageRouter } from './router.js';
import type { Session } from './session.js';
import type { Socket } from './socket.js';

/** The parts of a connection that its users reach. */
export interface ConnectionParts {
  readonly id: ConnectionId;
  readonly remoteAddress: string;
  readonly openedAtMs: number;
  readonly limits: SocketLimits;
  readonly liveness: Liveness;
  readonly router: MessageRouter;
  readonly socket: Socket;
  readonly state: ConnectionStateKind;
  readonly isOpen: boolean;
  nowMs(): number;
  /** Sends the first message and begins the token's watch; false when the connection is over. */
  establish(message: ControlMessage): boolean;
  send(message: ControlMessage): void;
  sendFrames(frames: readonly Uint8Array[]): void;
  onDrain(listener: () => void): Dispose;
  onClose(listener: (close: CloseInfo) => void): Dispose;
  close(code: number, reason: string): void;
}

/** What an authenticated connection is to the rest of the server. */
export class ClientConnection implements ClientConnectionContract {
  readonly id: ConnectionId;
  readonly userId: UserId;
  readonly remoteAddress: string;
  readonly #parts: ConnectionParts;
  readonly #session: Session;

  constructor(parts: ConnectionParts, session: Session) {
    this.id = parts.id;
    this.userId = session.principal.userId;
    this.remoteAddress = parts.remoteAddress;
    this.#parts = parts;
    this.#session = session;
  }

  get sessionId(): string {
    return this.#session.principal.sessionId;
  }

  get context(): RequestContext {
    return this.#session.context;
  }

  get state(): ConnectionStateKind {
    return this.#parts.state;
  }

  get isOpen(): boolean {
    return this.#parts.isOpen;
  }

  get bufferedBytes(): number {
    return this.#parts.socket.bufferedBytes;
  }

  establish({ stream, resume }: { readonly stream: StreamInfo; readonly resume: ResumeInfo }): void {
    if (!this.isOpen) return;
    if (this.state !== 'admitting') {
      throw new SocketError(
        'SOCKET_ALREADY_ESTABLISHED',
        'connection_established is sent once on a connection.',
      );
    }
    // Until delivery reports, the heartbeat tells what the client can conclude from this message.
    const flow = { unackedBytes: 0, largestFrameBytes: 0, sentSeq: resume.from - 1, headSeq: stream.head };
    if (this.#parts.establish(this.#establishedMessage(stream, resume))) {
      this.#parts.liveness.reportInFlight(flow);
    }
  }

  send(message: ControlMessage): void {
    if (this.isOpen) this.#parts.send(message);
  }

  sendFrames(frames: readonly Uint8Array[]): void {
    if (this.isOpen) this.#parts.sendFrames(frames);
  }

  onDrain(listener: () => void): Dispose {
    return this.#parts.onDrain(listener);
  }

  onClose(listener: (close: CloseInfo) => void): Dispose {
    return this.#parts.onClose(listener);
  }

  handle<T extends 'ack' | 'resync'>(
    type: T,
    handler: (message: ClientMessageOf<T>, answer: (message: ControlMessage) => void) => void,
  ): Dispose {
    return this.#parts.router.handle(type, handler);
  }

  handleCommand<T extends CommandMessage['type']>(type: T, handler: CommandHandler<T>): Dispose {
    return this.#parts.router.handleCommand(type, handler);
  }

  reportInFlight(flow: InFlight): void {
    this.#parts.liveness.reportInFlight(flow);
  }

  close(code: number, reason = ''): void {
    this.#parts.close(code, reason);
  }

  info(): ConnectionInfo {
    const { liveness } = this.#parts;
    return {
      id: this.id,
      userId: this.userId,
      sessionId: this.sessionId,
      remoteAddress: this.remoteAddress,
      openedAtMs: this.#parts.openedAtMs,
      state: this.state,
      bufferedBytes: this.bufferedBytes,
      unackedBytes: liveness.flow.unackedBytes,
      lastInboundAtMs: liveness.lastInboundAtMs,
    };
  }

  #establishedMessage(stream: StreamInfo, resume: ResumeInfo): ControlMessage {
    const { limits } = this.#parts;
    return {
      connectionId: this.id,
      userId: this.userId,
      serverTimeMs: this.#parts.nowMs(),
      stream,
      resume,
      limits: { maxMessageBytes: limits.maxMessageBytes, maxCommandsPerMinute: limits.maxCommandsPerMinute },
      heartbeatIntervalMs: limits.heartbeatIntervalMs,
      tokenExpiresAtMs: this.#session.principal.expiresAtMs,
      reconnect: {
        minDelayMs: LIMITS.reconnectMinDelayMs,
        maxDelayMs: LIMITS.reconnectMaxDelayMs,
        windowMs: LIMITS.reconnectWindowMs,
      },
      type: 'connection_established',
    };
  }
}

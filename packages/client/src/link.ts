import type { TimerHandle } from '@runwire/kernel';
import {
  type ClientMessage,
  type ControlMessageOf,
  type Cursor,
  type ErrorBody,
  encodeClientMessage,
  parseServerFrame,
  type ServerMessage,
} from '@runwire/protocol/wire';
import { type Acks, createAcks } from './acks.js';
import { createLiveness, type Liveness } from './liveness.js';
import type { ResolvedOptions } from './options.js';
import type { WebSocketConstructor } from './ports.js';
import { createResync, type Resync } from './resync.js';
import { openSocket, type Socket } from './socket.js';
import { requestToken, type TokenRequest } from './tokens.js';

/** How far a connection got before it ended. */
export type LinkStage = 'token' | 'upgrade' | 'connection';

/** Why a link ended. */
export interface LinkEnd {
  readonly code: number;
  readonly reason: string;
  readonly stage: LinkStage;
  /** What `getToken` failed with. */
  readonly cause?: unknown;
  /** Nobody ended it: it was not established in time. */
  readonly hung?: boolean;
  /** The application said that there is no use in trying again. */
  readonly unauthenticated?: boolean;
}

/** What a link tells its owner. After `ended` nothing more comes. */
export interface LinkHandlers {
  frame(link: Link, messages: readonly ServerMessage[], bytes: number): void;
  /** A frame that is none; the link is failed by itself. */
  invalidFrame(): void;
  /** Resyncs did not help; everything up to `sent` was sent. */
  gapUnresolved(sent: number): void;
  ackSent(): void;
  ended(link: Link, end: LinkEnd): void;
}

/** How a link is opened. */
export interface LinkRequest {
  readonly webSocket: WebSocketConstructor;
  readonly tokenReason: 'connect' | 'refresh';
  /** Read when the token is there. */
  readonly resume: () => Cursor | 'live' | 'beginning';
  readonly replaces: string | undefined;
}

/** One connection from its token to its end. */
export interface Link {
  /** Undefined until established. */
  readonly connectionId: string | undefined;
  readonly establishedAtMs: number | undefined;
  established(message: ControlMessageOf<'connection_established'>): void;
  /** The server has sent everything up to `seq`. */
  sent(seq: number): void;
  /** `caught_up` came. */
  caughtUp(seq: number, ref: string | undefined): void;
  /** A frame was handled, or events were applied later (`bytes` 0): acks what is due. */
  applied(bytes: number, seq: number): void;
  /** Something behind `cursor` is missing. */
  resync(cursor: Cursor): void;
  resyncRefused(ref: string | null | undefined, error: Pick<ErrorBody, 'retryAfterMs'>): boolean;
  send(message: ClientMessage): void;
  transmit(text: string): void;
  /** The page came back: answer or be given up. */
  probe(): void;
  /** Ends in peace; nothing is told. */
  close(): void;
  /** Gives up the connection: told as ended with 1006. */
  fail(reason: string): void;
}

/** Starts a connection. */
export function openLink(options: ResolvedOptions, request: LinkRequest, handlers: LinkHandlers): Link {
  const link = new SocketLink(options, request, handlers);
  link.open();
  return link;
}

class SocketLink implements Link {
  connectionId: string | undefined;
  establishedAtMs: number | undefined;
  readonly #options: ResolvedOptions;
  readonly #request: LinkRequest;
  readonly #handlers: LinkHandlers;
  readonly #resync: Resync;
  #stage: LinkStage | 'ended' = 'token';
  #token: TokenRequest | undefined;
  #deadline: TimerHandle | undefined;
  #socket: Socket | undefined;
  #acks: Acks | undefined;
  #liveness: Liveness | undefined;
  #sent = 0;
  #behind = true;

  constructor(options: ResolvedOptions, request: LinkRequest, handlers: LinkHandlers) {
    this.#options = options;
    this.#request = request;
    this.#handlers = handlers;
    this.#resync = createResync({
      ...options,
      send: (message) => this.send(message),
      giveUp: () => handlers.gapUnresolved(this.#sent),
    });
  }

  open(): void {
    this.#token = requestToken(this.#options, this.#request.tokenReason, {
      got: (token) => this.#connect(token),
      failed: (cause, unauthenticated) =>
        this.#end({ code: ABNORMAL, reason: 'no token', cause, unauthenticated }),
    });
  }

  established(message: ControlMessageOf<'connection_established'>): void {
    const { clock } = this.#options;
    this.#deadline?.cancel();
    this.connectionId = message.connectionId;
    this.establishedAtMs = clock.monotonicMs();
    this.#sent = message.resume.from - 1;
    this.#acks = createAcks(
      {
        clock,
        send: (seq) => {
          this.send({ type: 'ack', seq });
          this.#handlers.ackSent();
        },
      },
      this.#sent,
    );
    this.#liveness = createLiveness({
      clock,
      heartbeatIntervalMs: message.heartbeatIntervalMs,
      ping: () => this.send({ type: 'ping' }),
      dead: () => this.fail('no life'),
    });
  }

  sent(seq: number): void {
    this.#sent = Math.max(this.#sent, seq);
  }

  caughtUp(seq: number, ref: string | undefined): void {
    this.sent(seq);
    if (ref === undefined || this.#resync.answered(ref)) this.#behind = false;
  }

  applied(bytes: number, seq: number): void {
    this.#acks?.note(bytes, Math.min(seq, this.#sent), this.#behind);
  }

  resync(cursor: Cursor): void {
    this.#behind = true;
    this.#resync.request(cursor);
  }

  resyncRefused(ref: string | null | undefined, error: Pick<ErrorBody, 'retryAfterMs'>): boolean {
    return this.#resync.refused(ref, error);
  }

  send(message: ClientMessage): void {
    this.transmit(encodeClientMessage(message));
  }

  transmit(text: string): void {
    this.#socket?.send(text);
  }

  probe(): void {
    this.#liveness?.probe();
  }

  close(): void {
    this.#release();
    this.#socket?.close();
  }

  fail(reason: string): void {
    this.#end({ code: ABNORMAL, reason });
  }

  #connect(token: string): void {
    const { clock, connectTimeoutMs, url } = this.#options;
    this.#stage = 'upgrade';
    this.#deadline = clock.setTimer(connectTimeoutMs, () =>
      this.#end({ code: ABNORMAL, reason: 'not established in time', hung: true }),
    );
    const { replaces, resume, webSocket } = this.#request;
    try {
      this.#socket = openSocket(
        webSocket,
        { url, token, resume: resume(), replaces },
        {
          opened: () => {
            this.#stage = 'connection';
          },
          received: (data) => this.#received(data),
          closed: (code, reason) => this.#end({ code, reason }),
        },
      );
    } catch (cause) {
      this.#end({ code: ABNORMAL, reason: 'no socket', cause });
    }
  }

  #received(data: unknown): void {
    this.#liveness?.heard();
    const messages = parseServerFrame(data);
    if (messages !== undefined) {
      this.#handlers.frame(this, messages, typeof data === 'string' ? data.length : 0);
      return;
    }
    this.#handlers.invalidFrame();
    this.fail('invalid frame');
  }

  #end(end: Omit<LinkEnd, 'stage'>): void {
    const stage = this.#stage;
    if (stage === 'ended') return;
    this.#release();
    this.#socket?.abandon();
    this.#handlers.ended(this, { ...end, stage });
  }

  #release(): void {
    this.#stage = 'ended';
    this.#token?.cancel();
    this.#deadline?.cancel();
    this.#liveness?.stop();
    this.#acks?.stop();
  }
}

const ABNORMAL = 1006;

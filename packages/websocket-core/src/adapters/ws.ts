import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, createTurnQueue, type TurnQueue } from '@runwire/kernel';
import { SUBPROTOCOL } from '@runwire/protocol';
import { WebSocket, WebSocketServer } from 'ws';
import type { SocketLimits } from '../options.js';
import type { Socket, SocketEvents } from '../socket.js';
import { type HeldAnswer, HeldAnswers } from './held-answers.js';
import { plainHandshakeAnswer, plainHandshakeKey } from './plain-handshake.js';
import { frameBytes, writeTextFrames } from './text-frames.js';

/** How an upgrade came out. */
export interface UpgradeOutcome {
  /** Whether the answer may wait for the first frame, which is to be expected within moments. */
  readonly mayWait: boolean;
  accepted(socket: Socket): void;
  /** The request is no WebSocket handshake. The socket is still the caller's to answer. */
  malformed(message: string): void;
}

/** Completes WebSocket handshakes. */
export interface Upgrader {
  /** Calls back before it returns; neither when the peer has gone already. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, outcome: UpgradeOutcome): void;
}

/** Bounds the memory of a frame that arrives byte by byte: each chunk costs far more than it holds. */
const MAX_BUFFERED_CHUNKS = 16_384;
/** `ws` answers what goes over its own limits with 1008, which the protocol's table does not have. */
const WS_POLICY_VIOLATION = 1008;
const FRAME_TOO_LARGE = 1009;
const ABNORMAL = 1006;

/** Fields of `ws` that have no public reader. */
interface WsInternals {
  readonly _closeFrameReceived: boolean;
  readonly _receiver: { _maxPayload: number } | null;
  _protocol: string;
  setSocket(stream: Duplex, head: Buffer, options: object): void;
}

/** How `ws` makes the WebSocket of a handshake that it has answered. */
type WsConstructor = new (address: null, protocols: undefined, options: object) => ObservedWebSocket;

/**
 * A `ws` WebSocket that tells when it begins to close by itself: on the peer's close frame, or on a broken
 * frame, with the code that it sends.
 */
class ObservedWebSocket extends WebSocket implements HeldAnswer {
  /** Told of everything, until the end. */
  events: SocketEvents | undefined;
  /** Whether a close that begins now is no news. */
  isQuiet = false;
  oversizeCode = FRAME_TOO_LARGE;
  #closing = false;
  /** The corked stream, while what is written to it is kept back. */
  #held: Duplex | undefined;

  hold(corked: Duplex): void {
    this.#held = corked;
  }

  release(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.uncork();
  }

  /** Everything that `ws` tells goes through here: listeners for it would take 0.3 KiB of each connection. */
  override emit(event: string | symbol, ...[data, detail]: unknown[]): boolean {
    switch (event) {
      case 'message':
        if (detail === true || !Buffer.isBuffer(data)) this.events?.binary();
        else this.events?.text(data.toString('utf8'), data.byteLength);
        break;
      case 'ping':
      case 'pong':
        this.events?.control();
        break;
      case 'close':
        this.#tellClosed(Number(data), String(detail));
        break;
      // `close` follows each `error` and says what there is to say.
    }
    return true;
  }

  override close(code?: number, reason?: string | Buffer): void {
    if (this.#closing) {
      super.close(code, reason);
      return;
    }
    this.#closing = true;
    if ((this as unknown as WsInternals)._closeFrameReceived) {
      super.close(code, reason);
      this.release();
      this.#tellClosing({ code: code ?? 1000, reason: reason?.toString() ?? '', initiator: 'peer' });
      return;
    }
    const sent = code === FRAME_TOO_LARGE || code === WS_POLICY_VIOLATION ? this.oversizeCodeOf(code) : code;
    super.close(sent, reason);
    this.release();
    this.#tellClosing({ code: sent ?? ABNORMAL, reason: '', initiator: 'server' });
  }

  /** Our own close: no news to anyone. */
  closeQuietly(code: number, reason: string): void {
    this.#closing = true;
    this.isQuiet = true;
    super.close(code, reason);
    this.release();
  }

  /** The peer's end of the TCP stream without a close frame: `ws` says nothing until all is flushed. */
  peerEnded(): void {
    this.#tellClosing({ code: ABNORMAL, reason: '', initiator: 'peer' });
  }

  #tellClosed(code: number, reason: string): void {
    const { events } = this;
    this.events = undefined;
    events?.closed(code, reason);
  }

  #tellClosing(close: Parameters<SocketEvents['closing']>[0]): void {
    if (!this.isQuiet) this.events?.closing(close);
  }

  private oversizeCodeOf(code: number): number {
    return code === FRAME_TOO_LARGE ? this.oversizeCode : FRAME_TOO_LARGE;
  }
}

/** Makes the WebSocket of a handshake that was answered by our own hand, as `ws` does after its own answer. */
function answered(stream: Duplex, head: Buffer, options: object): ObservedWebSocket {
  const Answered = ObservedWebSocket as unknown as WsConstructor;
  const ws = new Answered(null, undefined, options);
  const internals = ws as unknown as WsInternals;
  internals._protocol = SUBPROTOCOL;
  internals.setSocket(stream, head, options);
  return ws;
}

/** `ws` as the transport. permessage-deflate is off: a compressed bomb is a protocol error. */
export function createWsUpgrader(limits: SocketLimits, clock: Clock): Upgrader {
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.maxTransportFrameBytes,
    maxFragments: limits.maxFragmentsPerMessage,
    maxBufferedChunks: MAX_BUFFERED_CHUNKS,
    // Who floods with pings is told so with 4429; `ws` would cut the 61st of a burst without a word. Twice the
    // limit, because a window's border lets that pass.
    maxPendingAutoPongs: 2 * limits.maxAcksAndPingsPerTenSeconds + 1,
    // The connection destroys the socket itself; this only removes the default of 30 s behind it.
    closeTimeout: limits.closeTimeoutMs * 2,
    handleProtocols: (protocols: Set<string>) => (protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    WebSocket: ObservedWebSocket,
  } as const;
  const server = new WebSocketServer<typeof ObservedWebSocket>(options);
  // In a row, which keeps the readers' side awake: a burst to 200 sockets takes half the system time this way.
  const turn = createTurnQueue<WsSocket>((socket) => socket.writeGathered());
  const answers = new HeldAnswers(clock);
  const accept = (ws: ObservedWebSocket, stream: Duplex, outcome: UpgradeOutcome): void => {
    if (outcome.mayWait) {
      ws.hold(stream);
      answers.add(ws);
    }
    outcome.accepted(new WsSocket(ws, { stream, turn }));
  };
  return {
    upgrade(request, socket, head, outcome) {
      const key = plainHandshakeKey(request, socket);
      if (key !== undefined) {
        if (outcome.mayWait) socket.cork();
        socket.write(plainHandshakeAnswer(key));
        accept(answered(socket, head, server.options), socket, outcome);
        return;
      }
      const onMalformed = (error: Error): void => outcome.malformed(error.message);
      // The handshake is synchronous, so this listener only ever hears of this request.
      server.once('wsClientError', onMalformed);
      try {
        // An end of the socket lets everything go, too: a refusal does not wait.
        if (outcome.mayWait) socket.cork();
        server.handleUpgrade(request, socket, head, (ws) => accept(ws, socket, outcome));
      } finally {
        server.removeListener('wsClientError', onMalformed);
      }
    },
  };
}

const NOTHING = Buffer.alloc(0);
const WEB_SOCKET = Symbol('web socket');

/** The TCP stream under a WebSocket. */
interface ObservedStream extends Duplex {
  [WEB_SOCKET]?: ObservedWebSocket;
}

/** One function for all streams, which finds its WebSocket by `this`: a closure for each takes memory. */
function onEnd(this: ObservedStream): void {
  this[WEB_SOCKET]?.peerEnded();
}

/** One accepted WebSocket behind the port. */
class WsSocket implements Socket {
  readonly #ws: ObservedWebSocket;
  readonly #stream: ObservedStream;
  readonly #turn: TurnQueue<WsSocket>;
  /** What is to be written in this turn. */
  #gathered: readonly Uint8Array[] | undefined;
  #gatheredBytes = 0;

  constructor(
    ws: ObservedWebSocket,
    { stream, turn }: { readonly stream: Duplex; readonly turn: TurnQueue<WsSocket> },
  ) {
    this.#ws = ws;
    this.#stream = stream;
    this.#turn = turn;
  }

  get isOpen(): boolean {
    return this.#ws.readyState === WebSocket.OPEN;
  }

  get bufferedBytes(): number {
    return this.#ws.bufferedAmount + this.#gatheredBytes;
  }

  start(events: SocketEvents): void {
    this.#ws.events = events;
    this.#stream[WEB_SOCKET] = this.#ws;
    this.#stream.on('end', onEnd);
  }

  send(frames: readonly Uint8Array[]): void {
    if (frames.length === 0) return;
    if (this.#gathered === undefined) {
      this.#gathered = frames;
      this.#turn.add(this);
    } else {
      this.#gathered = [...this.#gathered, ...frames];
    }
    for (const frame of frames) this.#gatheredBytes += frameBytes(frame.byteLength);
  }

  /** Writes what was gathered. Does not throw. */
  writeGathered(): void {
    const frames = this.#gathered;
    if (frames === undefined) return;
    this.#gathered = undefined;
    this.#gatheredBytes = 0;
    // `ws` writes its own frames whole and at once, so these may go between them.
    if (this.isOpen) this.#write(frames);
    this.#ws.release();
  }

  /** What the kernel takes at once needs no callback, which would take a tick of its own. */
  #write(frames: readonly Uint8Array[]): void {
    const stream = this.#stream;
    if (stream.writableLength > 0) {
      writeTextFrames(stream, frames, () => this.#ws.events?.flushed());
      return;
    }
    writeTextFrames(stream, frames);
    if (stream.writableLength === 0) this.#ws.events?.flushed();
    else stream.write(NOTHING, () => this.#ws.events?.flushed());
  }

  ping(): void {
    this.#ws.ping();
    this.#ws.release();
  }

  close(code: number, reason: string): void {
    this.writeGathered();
    this.#ws.closeQuietly(code, reason);
  }

  destroy(): void {
    this.#ws.isQuiet = true;
    this.#ws.terminate();
  }

  limitMessageBytes(maxBytes: number, code: number): void {
    this.#ws.oversizeCode = code;
    const receiver = (this.#ws as unknown as WsInternals)._receiver;
    if (receiver !== null) receiver._maxPayload = maxBytes;
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ConnectionId, RequestId, UserId } from '@runwire/id-generation';
import type { Clock, Lifecycle, Logger } from '@runwire/kernel';
import type {
  ClientMessageOf,
  CommandMessage,
  CommandReply,
  ControlMessage,
  ResumeInfo,
  ResumeRequest,
  StreamInfo,
} from '@runwire/protocol';
import type { RequestContext } from '@runwire/user-context';

// ---------------------------------------------------------------------------------------------------------
// Ports: what a socket server needs
// ---------------------------------------------------------------------------------------------------------

/** One verification of a token. */
export interface AuthenticationAttempt {
  /** Made when it is asked for: Node takes as long for one as for an eighth of our own part of a connect. */
  readonly signal: AbortSignal;
}

/** Everything a socket server is built from. None is optional: a missing one is a compile error. */
export interface SocketServerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ids: { connectionId(): ConnectionId; requestId(): RequestId };
  /** Whether connections may be accepted now; asked first for each upgrade. */
  readiness(): Readiness;
  /**
   * Verifies an access token. Rejects with a coded error: `TOKEN_INVALID`, `TOKEN_EXPIRED` and
   * `UNAUTHENTICATED` close 4401, `FORBIDDEN` closes 4403, anything else closes 4500. The signal of
   * `attempt` aborts when the peer vanishes or the authentication time is over.
   */
  authenticate(token: string, attempt: AuthenticationAttempt): Promise<Principal>;
  readonly admission: Admission;
  /**
   * Takes over an authenticated, admitted connection: registers its handlers and attaches its cursor, which
   * sends `connection_established` before this settles. A rejection closes the connection with 4500. Frames
   * that arrive meanwhile are held, within limits, and routed afterwards, so it settles soon after.
   */
  open(connection: ClientConnection, handshake: Handshake): Promise<void>;
  /** The peer's address; the place to trust a proxy's header. */
  remoteAddressOf(request: IncomingMessage): string;
}

/** Whether the process takes connections. */
export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly message: string; readonly retryAfterMs: number };

/** Who a token belongs to. */
export interface Principal {
  readonly userId: UserId;
  readonly sessionId: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** Limits on connections. `ConnectionPool` fits. */
export interface Admission {
  /** Asked before the upgrade is accepted. A reservation counts until it is released. */
  reserve(candidate: { readonly remoteAddress: string }): Reservation | Refusal;
}

/** A place for one connection. */
export interface Reservation {
  readonly kind: 'reserved';
  /**
   * The connection is authenticated and becomes visible. May close the user's oldest connection (4409).
   * `replaces` names an own connection that no longer counts; any other is ignored.
   */
  admit(connection: ClientConnection, options: { readonly replaces?: string }): void;
  /** The connection is over, or never came to be. Idempotent. */
  release(): void;
}

/** No place: the upgrade is answered 429. */
export interface Refusal {
  readonly kind: 'refused';
  readonly message: string;
  readonly retryAfterMs: number;
}

/** What the client said when it connected. */
export interface Handshake {
  readonly resume: ResumeRequest | undefined;
}

// ---------------------------------------------------------------------------------------------------------
// Services: what a socket server gives
// ---------------------------------------------------------------------------------------------------------

/** Accepts WebSockets, and streams in their place, on an HTTP server of the caller's. */
export interface SocketServer extends Lifecycle {
  /** The listener for an HTTP server's `upgrade` event. Never throws. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** What a plain `GET /ws` is answered: the status an upgrade would get, 426 when it would be accepted. */
  probe(request: IncomingMessage): UpgradeAnswer;
  /**
   * Answers a `GET` with a connection as server-sent events (protocol §8), or with the status and body of a
   * refused upgrade; a token that is missing or refused is 401. Headers that `response` has already are kept.
   * Never throws.
   */
  handleStream(request: IncomingMessage, response: ServerResponse): void;
  /**
   * Takes a message for an open stream, as `POST /api/commands` brings it: the same limits, handlers and
   * answers as for a frame on a WebSocket. Whoever calls has verified the sender's token and bounded the text.
   * Settles with the answer, at the latest when the connection ends; never rejects.
   */
  receive(post: PostedMessage): Promise<PostAnswer>;
  /** Whether an open stream has this id. */
  hasStream(connectionId: string): boolean;
  stats(): SocketServerStats;
}

/** A message that came beside the stream it belongs to. */
export interface PostedMessage {
  /** Whose token came with it. */
  readonly userId: UserId;
  readonly connectionId: string;
  readonly text: string;
}

/** What a posted message came to. */
export type PostAnswer =
  /** `command_accepted`, `command_rejected`, `auth_refreshed`, `pong` or `error`; not on the stream as well. */
  | { readonly kind: 'answered'; readonly message: ControlMessage }
  /** Handled; it has no answer, like an `ack`. */
  | { readonly kind: 'taken' }
  /** Handled; what it asks for comes on the stream, like a `resync`. */
  | { readonly kind: 'streamed' }
  /** The user has no open stream of that id. */
  | { readonly kind: 'unknown' }
  /** The connection ended first: whether it was handled is not known. */
  | { readonly kind: 'closed'; readonly close: CloseInfo };

/** An HTTP answer to a refused or missing upgrade. */
export interface UpgradeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON body `{ error: { code, message } }`. */
  readonly body: string;
}

/** Counts for health, metrics and leak tests. */
export interface SocketServerStats {
  /** Connections in any state but `closed`, by state. */
  readonly connections: Readonly<Record<Exclude<ConnectionStateKind, 'closed'>, number>>;
  /** Live handler registrations over all connections. */
  readonly handlers: number;
  /** What is waited for: one per connection, and one while any user's commands of the last minute count. */
  readonly timers: number;
  /** Users whose commands of the last minute count. */
  readonly rateLimitedUsers: number;
  /** Upgrades and streams accepted since the start. */
  readonly accepted: number;
  /** Those refused, by check: `path readiness origin subprotocol token limits malformed internal`. */
  readonly refused: Readonly<Record<string, number>>;
  /** Connections that are over, by close code (`other` for a peer's own). */
  readonly closed: Readonly<Record<string, number>>;
  /** Inbound messages that reached a handler. */
  readonly routed: number;
  /** Inbound messages that did not, by error code, or `noHandler`, `handlerThrew`, `dropped`. */
  readonly rejected: Readonly<Record<string, number>>;
}

/** `accepting → authenticating → admitting → ready → draining → closed`. */
export type ConnectionStateKind =
  | 'accepting'
  | 'authenticating'
  | 'admitting'
  | 'ready'
  | 'draining'
  | 'closed';

/** What others may know about a connection. */
export interface ConnectionInfo {
  readonly id: ConnectionId;
  readonly userId: UserId;
  readonly sessionId: string;
  readonly remoteAddress: string;
  readonly openedAtMs: number;
  readonly state: ConnectionStateKind;
  readonly bufferedBytes: number;
  readonly unackedBytes: number;
  readonly lastInboundAtMs: number;
}

/** Undoes one registration. Repeated calls do nothing. */
export type Dispose = () => void;

/** One WebSocket or stream of one user, from its admission to its end. */
export interface ClientConnection {
  readonly id: ConnectionId;
  readonly userId: UserId;
  /** The session of the token that counts now; a refresh can change it. */
  readonly sessionId: string;
  readonly remoteAddress: string;
  /** The identity of this connection; commands get children of it with their own request id. */
  readonly context: RequestContext;
  readonly state: ConnectionStateKind;
  /** False as soon as a close has begun, from either side: nothing more is sent. */
  readonly isOpen: boolean;
  /** Bytes accepted and not yet handed to the kernel. */
  readonly bufferedBytes: number;
  /**
   * Sends `connection_established`; once, before anything else is sent. A no-op once `isOpen` is false.
   *
   * @throws SocketError `SOCKET_ALREADY_ESTABLISHED`
   */
  establish(delivery: { readonly stream: StreamInfo; readonly resume: ResumeInfo }): void;
  /**
   * Sends one control message; before `connection_established` it waits for that. A no-op once `isOpen` is
   * false. A peer that asks and never reads is closed with 4508.
   *
   * @throws SocketError `SOCKET_NOT_ESTABLISHED` when more than 16 wait
   */
  send(message: ControlMessage): void;
  /**
   * Writes text frames together, in order, behind everything sent before. The frames may be shared between
   * connections and are not changed. A no-op once `isOpen` is false.
   *
   * @throws SocketError `SOCKET_NOT_ESTABLISHED` before `connection_established`
   */
  sendFrames(frames: readonly Uint8Array[]): void;
  /** Calls `listener` whenever `bufferedBytes` falls below the low mark after having been at or above it. */
  onDrain(listener: () => void): Dispose;
  /** Calls `listener` once when the connection is over, in whatever way; at once when it already is. */
  onClose(listener: (close: CloseInfo) => void): Dispose;
  /**
   * Registers the handler of a message that has no reply of its own; `answer` tells its sender what is wrong
   * with it, before the handler returns. It goes with the connection.
   *
   * @throws SocketError `SOCKET_HANDLER_EXISTS` for a second handler of a type
   */
  handle<T extends 'ack' | 'resync'>(
    type: T,
    handler: (message: ClientMessageOf<T>, answer: (message: ControlMessage) => void) => void,
  ): Dispose;
  /**
   * Registers the handler of a command. Its reply is sent as `command_accepted` or `command_rejected` (as
   * `error` when the command has no id); a rejection becomes `INTERNAL` with a correlation id. Runs within
   * `runWithContext(request.context)`.
   *
   * @throws SocketError `SOCKET_HANDLER_EXISTS` for a second handler of a type
   */
  handleCommand<T extends CommandMessage['type']>(
    type: T,
    handler: (message: ClientMessageOf<T>, request: CommandRequest) => Promise<CommandReply<T>>,
  ): Dispose;
  /** Tells liveness and heartbeat what is sent and not yet acknowledged. */
  reportInFlight(flow: InFlight): void;
  /**
   * Begins the close with a code of protocol §7. `isOpen` is false and handlers, timers and subscriptions
   * are gone when this returns; the peer has one second to answer, then the socket is destroyed. Idempotent.
   * The reason is cut to the 123 bytes that fit.
   *
   * @throws SocketError `SOCKET_INVALID_CLOSE_CODE` for a code that is not in the table, or 1006
   */
  close(code: number, reason?: string): void;
  info(): ConnectionInfo;
}

/** What a connection has been sent and has not acknowledged: now, whenever it is looked at. */
export interface InFlight {
  /** Above 0, silence is a slow consumer (4508). */
  readonly unackedBytes: number;
  /** Bytes of the largest unacknowledged frame; each KiB above 16 KiB adds a second to the silence limit. */
  readonly largestFrameBytes: number;
  /** The last `seq` sent, for the `heartbeat` message. */
  readonly sentSeq: number;
  /** The last `seq` of the stream. */
  readonly headSeq: number;
}

/** How a connection ended. */
export interface CloseInfo {
  /** The code sent or received; 1006 when there was none. */
  readonly code: number;
  readonly reason: string;
  readonly initiator: 'server' | 'peer';
}

/** One command under way. */
export interface CommandRequest {
  readonly context: RequestContext;
  /** Aborts when the connection closes: what has not committed may stop, what has goes on. */
  readonly signal: AbortSignal;
}

import type { ConnectionId, UserId } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import { type ControlMessage, createServerMessage } from '@runwire/protocol';
import { createScope, type Scope } from '@runwire/user-context';
import { Agenda, type AgendaOwner, type Job } from './agenda.js';
import { ClientConnection, type ConnectionParts } from './client-connection.js';
import { assertCloseCode, fitReason } from './close-frame.js';
import { Conduct, errorCodeOf } from './conduct.js';
import type { AcceptedUpgrade, ConnectionHost } from './connection-host.js';
import { type ConnectionEvent, type ConnectionState, isOpenState, nextState } from './connection-state.js';
import type {
  CloseInfo,
  ConnectionStateKind,
  Dispose,
  PostAnswer,
  Principal,
  Reservation,
} from './contract.js';
import { Conversation, type ConversationOwner } from './conversation.js';
import { createExchange } from './exchange.js';
import { Listeners } from './listeners.js';
import { Liveness, type LivenessOwner } from './liveness.js';
import { Opening, type OpeningOwner } from './opening.js';
import type { SocketLimits } from './options.js';
import { Outbox, type OutboxOwner } from './outbox.js';
import type { Incoming, Reply } from './replies.js';
import { MessageRouter } from './router.js';
import { Session } from './session.js';
import type { Socket, SocketEvents } from './socket.js';
import { TokenWatch, type TokenWatchOwner } from './token-watch.js';

/** What the parts of a connection know it as. It is their one object: callbacks for each would take 2 KiB. */
interface Owner
  extends AgendaOwner,
    ConversationOwner,
    ConnectionParts,
    LivenessOwner,
    OpeningOwner,
    OutboxOwner,
    TokenWatchOwner {}

/**
 * One socket from accept to its end: the shell around the pure machine of `connection-state.ts`. It is long because
 * all that its parts ask of each other goes through it, and short in each of its methods.
 */
export class ConnectionShell implements SocketEvents, Reply, Owner {
  readonly id: ConnectionId;
  readonly remoteAddress: string;
  readonly openedAtMs: number;
  readonly socket: Socket;
  readonly reservation: Reservation;
  readonly agenda: Agenda;
  readonly liveness: Liveness;
  readonly router = new MessageRouter();
  readonly #host: ConnectionHost;
  readonly #acceptsPosts: boolean;
  readonly #closeListeners: Listeners<[CloseInfo]>;
  readonly #outbox: Outbox;
  readonly #tokens: TokenWatch;
  /** Until messages are routed as they come. */
  #opening: Opening | undefined;
  #conversation: Conversation | undefined;
  #conduct: Conduct | undefined;
  #logger: Logger | undefined;
  #scope: Scope | undefined;
  #state: ConnectionState = { kind: 'accepting' };

  constructor(host: ConnectionHost, socket: Socket, upgrade: AcceptedUpgrade) {
    const { clock, ids } = host.deps;
    this.id = ids.connectionId();
    this.remoteAddress = upgrade.remoteAddress;
    this.openedAtMs = clock.nowMs();
    this.socket = socket;
    this.reservation = upgrade.reservation;
    this.agenda = new Agenda(clock, host.timetable, this);
    this.liveness = new Liveness(host, this);
    this.#host = host;
    this.#acceptsPosts = upgrade.takesPosts;
    this.#closeListeners = new Listeners(this);
    this.#outbox = new Outbox(host, this);
    this.#tokens = new TokenWatch(host, this);
    this.#opening = new Opening(host, this, upgrade.credentials);
  }

  get state(): ConnectionStateKind {
    return this.#state.kind;
  }

  get isOpen(): boolean {
    return isOpenState(this.#state.kind) && this.socket.isOpen;
  }

  get limits(): SocketLimits {
    return this.#host.options.limits;
  }

  /** Made when there is something to tell. */
  get logger(): Logger {
    this.#logger ??= this.#host.deps.logger.child({ connectionId: this.id });
    return this.#logger;
  }

  get conduct(): Conduct {
    this.#conduct ??= new Conduct(this.#host, this);
    return this.#conduct;
  }

  /** Owns what commands and refreshes begin; made for the first of them, closed with the connection. */
  get scope(): Scope {
    if (this.#scope === undefined) {
      this.#scope = createScope(this, 'connection');
      if (!isOpenState(this.#state.kind)) void this.#scope.dispose();
    }
    return this.#scope;
  }

  get sentSeq(): number {
    return this.liveness.flow.sentSeq;
  }

  /** Live handler registrations. */
  get handlers(): number {
    return this.router.size;
  }

  /** Whether it is an open stream, whose messages come by `post`. */
  get takesPosts(): boolean {
    return this.#acceptsPosts && this.isOpen;
  }

  nowMs(): number {
    return this.#host.deps.clock.nowMs();
  }

  /** Begins to read, and to authenticate. */
  start(): void {
    const deadlineAtMs = this.#host.deps.clock.monotonicMs() + this.limits.authenticationTimeoutMs;
    this.#dispatch({ type: 'accepted', deadlineAtMs });
    this.socket.start(this);
    this.liveness.start();
    this.#opening?.start(deadlineAtMs);
  }

  text(text: string, bytes: number): void {
    this.#take({ text, bytes, reply: this });
  }

  /** Whether messages of `userId` may come by `post`. */
  takesPostsOf(userId: UserId): boolean {
    return this.takesPosts && this.#conversation?.userId === userId;
  }

  /** Takes a message that a request brought. Settles with its answer, at the latest when the connection ends. */
  post(text: string): Promise<PostAnswer> {
    const { answer, reply } = createExchange({
      onClose: (listener) => this.onClose(listener),
      noteAnswer: (message) => this.#noteSent(message),
    });
    this.#take({ text, bytes: Buffer.byteLength(text), reply });
    return answer;
  }

  binary(): void {
    this.liveness.noteInbound();
    this.close(1003, 'text frames only');
  }

  control(): void {
    this.liveness.noteInbound();
    if (this.isOpen) this.conduct.noteControlFrame();
  }

  flushed(): void {
    if (this.isOpen) this.#outbox.flushed();
  }

  closing(close: CloseInfo): void {
    if (isOpenState(this.#state.kind)) this.#end(close);
  }

  closed(code: number, reason: string): void {
    const lost: CloseInfo = { code, reason, initiator: 'peer' };
    if (isOpenState(this.#state.kind)) this.#release(lost, { type: 'gone', close: lost });
    else this.#dispatch({ type: 'gone', close: lost });
    this.agenda.clear();
    this.reservation.release();
    const { close } = this.#state.kind === 'closed' ? this.#state : { close: lost };
    this.#host.counters.close(close.code);
    this.logger.debug({ code: close.code, initiator: close.initiator }, 'Connection closed');
    this.#host.gone(this);
  }

  /** @throws SocketError `SOCKET_INVALID_CLOSE_CODE` */
  close(code: number, reason: string): void {
    assertCloseCode(code);
    if (!this.isOpen) return;
    const fitted = fitReason(reason);
    this.#end({ code, reason: fitted, initiator: 'server' }, () => this.socket.close(code, fitted));
  }

  /** The answer to a message that came on the socket. */
  answer(message: ControlMessage): void {
    this.send(message);
  }

  /** What came on the socket and has no answer needs none. */
  done(): void {}

  send(message: ControlMessage): void {
    if (!this.isOpen) return;
    this.#outbox.send(message);
    this.#noteSent(message);
  }

  sendFrames(frames: readonly Uint8Array[]): void {
    this.#outbox.sendFrames(frames);
  }

  onDrain(listener: () => void): Dispose {
    return this.#outbox.onDrain(listener);
  }

  onClose(listener: (close: CloseInfo) => void): Dispose {
    if (this.#state.kind !== 'draining' && this.#state.kind !== 'closed')
      return this.#closeListeners.add(listener);
    listener(this.#state.close);
    return () => {};
  }

  beat(): void {
    if (!this.isOpen) return;
    this.socket.ping();
    if (this.state !== 'ready') return;
    const { headSeq, sentSeq } = this.liveness.flow;
    this.send(createServerMessage('heartbeat', { sent: sentSeq, head: headSeq, serverTimeMs: this.nowMs() }));
    this.#tokens.review();
  }

  dead(acksOutstanding: boolean): void {
    if (acksOutstanding) this.close(4508, 'no life for the silence limit');
    else if (this.isOpen) {
      this.#end({ code: 1006, reason: '', initiator: 'server' }, () => this.socket.destroy());
    }
  }

  run(job: Job): void {
    switch (job) {
      case 'authentication':
        this.#opening?.timeOut();
        return;
      case 'heartbeat':
        this.liveness.beat();
        return;
      case 'silence':
        this.liveness.suspect();
        return;
      case 'token':
        this.#tokens.review();
        return;
      case 'refresh':
        this.#conversation?.refreshTimedOut();
        return;
      case 'destroy':
        this.socket.destroy();
    }
  }

  admit(principal: Principal): ClientConnection {
    const session = new Session(this.id, principal, this.#host.deps.ids);
    this.#conversation = new Conversation(session, this.#host, this);
    this.#dispatch({ type: 'authenticated', principal });
    return new ClientConnection(this, session);
  }

  establish(message: ControlMessage): boolean {
    this.#dispatch({ type: 'established' });
    this.#outbox.establish(message);
    if (this.#conversation !== undefined) this.#tokens.watch(this.#conversation.session.principal);
    return this.isOpen;
  }

  route(incoming: Incoming): void {
    this.#conversation?.handle(incoming);
  }

  opened(): void {
    this.#opening = undefined;
  }

  renewed(principal: Principal): void {
    this.#tokens.watch(principal);
  }

  warn(expiresAtMs: number): void {
    this.send(createServerMessage('auth_expiring', { expiresAtMs }));
  }

  expired(): void {
    this.close(4401, 'TOKEN_EXPIRED');
  }

  overflow(): void {
    this.close(4508, 'nothing is read');
  }

  #take(incoming: Incoming): void {
    this.liveness.noteInbound();
    if (!this.isOpen) return;
    if (this.#opening === undefined) this.#conversation?.handle(incoming);
    else this.#opening.take(incoming);
  }

  #dispatch(event: ConnectionEvent): void {
    this.#state = nextState(this.#state, event);
  }

  /** The close begins: the socket first, because it must not wait for clean-up, then everything else. */
  #end(close: CloseInfo, tearDown?: () => void): void {
    const { clock } = this.#host.deps;
    const destroyAtMs = clock.monotonicMs() + this.limits.closeTimeoutMs;
    this.#release(close, { type: 'closing', close, destroyAtMs }, tearDown);
    this.agenda.set('destroy', destroyAtMs);
  }

  #release(close: CloseInfo, event: ConnectionEvent, tearDown?: () => void): void {
    this.#dispatch(event);
    tearDown?.();
    this.#opening?.stop();
    this.#opening = undefined;
    this.router.close();
    this.liveness.stop();
    this.#tokens.stop();
    this.#outbox.close();
    this.agenda.clear();
    this.#closeListeners.release(close);
    void this.#scope?.dispose();
  }

  #noteSent(message: ControlMessage): void {
    const code = errorCodeOf(message);
    if (code !== undefined) this.conduct.noteError(code);
  }
}

import type { ConnectionId, UserId } from '@runwire/id-generation';
import type { Logger } from '@runwire/kernel';
import { type ControlMessage, createServerMessage } from '@runwire/protocol';
import { createScope, type Scope } from '@runwire/user-context';
import { Agenda } from './agenda.js';
import { ClientConnection } from './client-connection.js';
import { assertCloseCode, fitReason } from './close-frame.js';
import { Conduct } from './conduct.js';
import type { AcceptedUpgrade, ConnectionHost } from './connection-host.js';
import { type ConnectionEvent, type ConnectionState, isOpenState, nextState } from './connection-state.js';
import type { CloseInfo, ConnectionStateKind, Dispose, PostAnswer, Principal } from './contract.js';
import { Conversation } from './conversation.js';
import { createExchange } from './exchange.js';
import { Listeners } from './listeners.js';
import { Liveness } from './liveness.js';
import { Opening } from './opening.js';
import { Outbox } from './outbox.js';
import type { Incoming, Reply } from './replies.js';
import { MessageRouter } from './router.js';
import type { Socket, SocketEvents } from './socket.js';
import { TokenWatch } from './token-watch.js';

/** One socket from accept to its end: the shell around the pure machine of `connection-state.ts`. */
export class ConnectionShell implements SocketEvents {
  readonly id: ConnectionId;
  readonly #host: ConnectionHost;
  readonly #socket: Socket;
  readonly #upgrade: AcceptedUpgrade;
  readonly #logger: Logger;
  readonly #scope: Scope;
  readonly #agenda: Agenda;
  readonly #closeListeners: Listeners<[CloseInfo]>;
  readonly #router = new MessageRouter();
  readonly #liveness: Liveness;
  readonly #conduct: Conduct;
  readonly #outbox: Outbox;
  readonly #tokens: TokenWatch;
  readonly #opening: Opening;
  readonly #openedAtMs: number;
  readonly #onSocket: Reply = { answer: (message) => this.#send(message), done: () => {} };
  #conversation: Conversation | undefined;
  #state: ConnectionState = { kind: 'accepting' };

  constructor(host: ConnectionHost, socket: Socket, upgrade: AcceptedUpgrade) {
    const { clock, ids, logger } = host.deps;
    const { limits } = host.options;
    this.id = ids.connectionId();
    this.#host = host;
    this.#socket = socket;
    this.#upgrade = upgrade;
    this.#openedAtMs = clock.nowMs();
    this.#logger = logger.child({ connectionId: this.id });
    this.#scope = createScope({ logger: this.#logger }, 'connection');
    this.#agenda = new Agenda(clock);
    this.#closeListeners = new Listeners(this.#logger);
    const shared = { agenda: this.#agenda, clock, limits, logger: this.#logger };
    this.#conduct = new Conduct({ ...shared, close: (code, reason) => this.close(code, reason) });
    this.#liveness = new Liveness({
      ...shared,
      random: host.options.random,
      beat: () => this.#beat(),
      dead: (acksOutstanding) => this.#dead(acksOutstanding),
    });
    this.#outbox = new Outbox({ ...shared, socket, overflow: () => this.close(4508, 'nothing is read') });
    this.#tokens = new TokenWatch({
      ...shared,
      warn: (expiresAtMs) => this.#send(createServerMessage('auth_expiring', { expiresAtMs })),
      expired: () => this.close(4401, 'TOKEN_EXPIRED'),
    });
    this.#opening = this.#createOpening();
  }

  get state(): ConnectionStateKind {
    return this.#state.kind;
  }

  get isOpen(): boolean {
    return isOpenState(this.#state.kind) && this.#socket.isOpen;
  }

  /** Whether it is an open stream, whose messages come by `post`. */
  get takesPosts(): boolean {
    return this.#upgrade.takesPosts && this.isOpen;
  }

  /** Live handler registrations. */
  get handlers(): number {
    return this.#router.size;
  }

  /** Whether the connection's one timer is set. */
  get armed(): boolean {
    return this.#agenda.armed;
  }

  /** Begins to read, and to authenticate. */
  start(): void {
    const { clock } = this.#host.deps;
    const deadlineAtMs = clock.monotonicMs() + this.#host.options.limits.authenticationTimeoutMs;
    this.#dispatch({ type: 'accepted', deadlineAtMs });
    this.#socket.start(this);
    this.#liveness.start();
    this.#opening.start(deadlineAtMs);
  }

  text(text: string, bytes: number): void {
    this.#take({ text, bytes, reply: this.#onSocket });
  }

  /** Whether messages of `userId` may come by `post`. */
  takesPostsOf(userId: UserId): boolean {
    return this.takesPosts && this.#conversation?.session.principal.userId === userId;
  }

  /** Takes a message that a request brought. Settles with its answer, at the latest when the connection ends. */
  post(text: string): Promise<PostAnswer> {
    const { answer, reply } = createExchange({
      onClose: (listener) => this.#onClose(listener),
      noteAnswer: (message) => this.#conduct.noteSent(message),
    });
    this.#take({ text, bytes: Buffer.byteLength(text), reply });
    return answer;
  }

  binary(): void {
    this.#liveness.noteInbound();
    this.close(1003, 'text frames only');
  }

  control(): void {
    this.#liveness.noteInbound();
    if (this.isOpen) this.#conduct.noteControlFrame();
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
    this.#agenda.clear();
    this.#upgrade.reservation.release();
    const { close } = this.#state.kind === 'closed' ? this.#state : { close: lost };
    this.#host.counters.close(close.code);
    this.#logger.debug({ code: close.code, initiator: close.initiator }, 'Connection closed');
    this.#host.gone(this);
  }

  /** @throws SocketError `SOCKET_INVALID_CLOSE_CODE` */
  close(code: number, reason: string): void {
    assertCloseCode(code);
    if (!this.isOpen) return;
    const fitted = fitReason(reason);
    this.#end({ code, reason: fitted, initiator: 'server' }, () => this.#socket.close(code, fitted));
  }

  #take(incoming: Incoming): void {
    this.#liveness.noteInbound();
    if (!this.isOpen) return;
    if (this.#opening.done) this.#conversation?.handle(incoming);
    else this.#opening.take(incoming);
  }

  #dispatch(event: ConnectionEvent): void {
    this.#state = nextState(this.#state, event);
  }

  /** The close begins: the socket first, because it must not wait for clean-up, then everything else. */
  #end(close: CloseInfo, tearDown?: () => void): void {
    const { clock } = this.#host.deps;
    const destroyAtMs = clock.monotonicMs() + this.#host.options.limits.closeTimeoutMs;
    this.#release(close, { type: 'closing', close, destroyAtMs }, tearDown);
    this.#agenda.set('destroy', destroyAtMs, () => this.#socket.destroy());
  }

  #release(close: CloseInfo, event: ConnectionEvent, tearDown?: () => void): void {
    this.#dispatch(event);
    tearDown?.();
    this.#opening.stop();
    this.#router.close();
    this.#liveness.stop();
    this.#tokens.stop();
    this.#outbox.close();
    this.#agenda.clear();
    this.#closeListeners.release(close);
    void this.#scope.dispose();
  }

  #dead(acksOutstanding: boolean): void {
    if (acksOutstanding) this.close(4508, 'no life for the silence limit');
    else if (this.isOpen) {
      this.#end({ code: 1006, reason: '', initiator: 'server' }, () => this.#socket.destroy());
    }
  }

  #beat(): void {
    if (!this.isOpen) return;
    this.#socket.ping();
    if (this.state !== 'ready') return;
    const { headSeq, sentSeq } = this.#liveness.flow;
    const serverTimeMs = this.#host.deps.clock.nowMs();
    this.#send(createServerMessage('heartbeat', { sent: sentSeq, head: headSeq, serverTimeMs }));
    this.#tokens.review();
  }

  #send(message: ControlMessage): void {
    if (!this.isOpen) return;
    this.#outbox.send(message);
    this.#conduct.noteSent(message);
  }

  #establish(message: ControlMessage): boolean {
    this.#dispatch({ type: 'established' });
    this.#outbox.establish(message);
    if (this.#conversation !== undefined) this.#tokens.watch(this.#conversation.session.principal);
    return this.isOpen;
  }

  #onClose(listener: (close: CloseInfo) => void): Dispose {
    if (this.#state.kind !== 'draining' && this.#state.kind !== 'closed')
      return this.#closeListeners.add(listener);
    listener(this.#state.close);
    return () => {};
  }

  #createOpening(): Opening {
    const { deps, options } = this.#host;
    const { credentials, reservation } = this.#upgrade;
    return new Opening(
      {
        logger: this.#logger,
        agenda: this.#agenda,
        limits: options.limits,
        socket: this.#socket,
        ports: deps,
        reservation,
        signal: this.#scope.signal,
        state: () => this.state,
        admit: (principal) => this.#admit(principal),
        route: (incoming) => this.#conversation?.handle(incoming),
        close: (code, reason) => this.close(code, reason),
      },
      credentials,
    );
  }

  #admit(principal: Principal): ClientConnection {
    const { counters, commandLimits, deps, options } = this.#host;
    const conversation = new Conversation(principal, {
      connectionId: this.id,
      ports: deps,
      limits: options.limits,
      counters,
      commandLimits,
      logger: this.#logger,
      scope: this.#scope,
      agenda: this.#agenda,
      conduct: this.#conduct,
      router: this.#router,
      isOpen: () => this.isOpen,
      sentSeq: () => this.#liveness.flow.sentSeq,
      renewed: (renewed) => this.#tokens.watch(renewed),
      close: (code, reason) => this.close(code, reason),
    });
    this.#conversation = conversation;
    this.#dispatch({ type: 'authenticated', principal });
    return this.#clientConnection(conversation);
  }

  #clientConnection({ commands, session }: Conversation): ClientConnection {
    return new ClientConnection({
      id: this.id,
      remoteAddress: this.#upgrade.remoteAddress,
      openedAtMs: this.#openedAtMs,
      limits: this.#host.options.limits,
      session,
      liveness: this.#liveness,
      router: this.#router,
      nowMs: () => this.#host.deps.clock.nowMs(),
      state: () => this.state,
      isOpen: () => this.isOpen,
      bufferedBytes: () => this.#socket.bufferedBytes,
      establish: (message) => this.#establish(message),
      send: (message) => this.#send(message),
      sendFrames: (frames) => this.#outbox.sendFrames(frames),
      onDrain: (listener) => this.#outbox.onDrain(listener),
      onClose: (listener) => this.#onClose(listener),
      runCommand: (message, handler, reply) => commands.run(message, handler, reply),
      close: (code, reason) => this.close(code, reason),
    });
  }
}

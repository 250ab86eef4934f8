import type { Logger } from '@runwire/kernel';
import { decodeClientMessage } from '@runwire/protocol';
import type { Agenda } from './agenda.js';
import { classifyFailure, verifyToken } from './authentication.js';
import type { ClientConnection } from './client-connection.js';
import type { ConnectionStateKind, Principal, Reservation, SocketServerDeps } from './contract.js';
import { type Credentials, credentialsOfMessage } from './handshake.js';
import { HeldFrames } from './held-frames.js';
import type { SocketLimits } from './options.js';
import type { Incoming } from './replies.js';
import type { Socket } from './socket.js';

/** What opening a connection needs of it. */
export interface OpeningDeps {
  readonly logger: Logger;
  readonly agenda: Agenda;
  readonly limits: SocketLimits;
  readonly socket: Pick<Socket, 'limitMessageBytes'>;
  readonly ports: Pick<SocketServerDeps, 'authenticate' | 'open'>;
  readonly reservation: Reservation;
  /** Aborts when the connection closes. */
  readonly signal: AbortSignal;
  state(): ConnectionStateKind;
  /** The user is known: the connection as others see it. */
  admit(principal: Principal): ClientConnection;
  /** Handles a message of an open connection. */
  route(incoming: Incoming): void;
  close(code: number, reason: string): void;
}

/** From the accepted socket to the first routed message: authenticate, admit, open, then what was held. */
export class Opening {
  readonly #deps: OpeningDeps;
  readonly #held: HeldFrames;
  #credentials: Credentials | undefined;
  readonly #tokenInHandshake: boolean;
  #done = false;

  constructor(deps: OpeningDeps, credentials: Credentials | undefined) {
    this.#deps = deps;
    this.#held = new HeldFrames(deps.limits);
    this.#credentials = credentials;
    this.#tokenInHandshake = credentials !== undefined;
  }

  /** True when messages are routed as they come. */
  get done(): boolean {
    return this.#done;
  }

  start(deadlineAtMs: number): void {
    const { agenda, limits, socket } = this.#deps;
    if (this.#tokenInHandshake) socket.limitMessageBytes(limits.maxHeldBytes, 4400);
    else socket.limitMessageBytes(limits.maxBytesBeforeAuthentication, 1009);
    agenda.set('authentication', deadlineAtMs, () => this.#deps.close(4408, 'no authentication in time'));
    if (this.#credentials !== undefined) this.#authenticate(this.#credentials);
  }

  take(incoming: Incoming): void {
    if (this.#deps.state() === 'authenticating' && !this.#tokenInHandshake)
      this.#beforeAuthentication(incoming);
    else if (!this.#held.hold(incoming)) this.#deps.close(4400, 'too much before connection_established');
  }

  stop(): void {
    this.#done = true;
    this.#held.clear();
    this.#deps.agenda.cancel('authentication');
  }

  #beforeAuthentication({ text, bytes }: Incoming): void {
    const { limits } = this.#deps;
    if (this.#credentials !== undefined) this.#deps.close(4400, 'more than one frame before authentication');
    else if (bytes > limits.maxBytesBeforeAuthentication) {
      this.#deps.close(1009, 'too large before authentication');
    } else {
      const decoded = decodeClientMessage(text, limits);
      if (decoded.ok && decoded.message.type === 'authenticate') {
        this.#credentials = credentialsOfMessage(decoded.message);
        this.#authenticate(this.#credentials);
      } else this.#deps.close(4401, 'the first frame must be authenticate');
    }
  }

  #authenticate(credentials: Credentials): void {
    const { logger, ports, signal } = this.#deps;
    verifyToken(ports, credentials.token, signal)
      .then(
        (principal) => this.#authenticated(principal, credentials),
        (cause: unknown) => this.#refused(cause),
      )
      .catch((cause: unknown) => {
        logger.error({ err: cause }, 'A connection could not be opened');
        this.#deps.close(4500, 'server error');
      });
  }

  #refused(cause: unknown): void {
    if (this.#deps.state() !== 'authenticating') return;
    const failure = classifyFailure(cause);
    if (failure.kind === 'refused') this.#deps.close(failure.closeCode, failure.code);
    else {
      this.#deps.logger.error({ err: cause }, 'A token could not be verified');
      this.#deps.close(4500, 'server error');
    }
  }

  async #authenticated(principal: Principal, credentials: Credentials): Promise<void> {
    const { agenda, limits, ports, reservation, socket } = this.#deps;
    // The peer may have gone, or the time may have run out, while the token was verified.
    if (this.#deps.state() !== 'authenticating') return;
    agenda.cancel('authentication');
    socket.limitMessageBytes(limits.maxHeldBytes, 4400);
    const connection = this.#deps.admit(principal);
    const { replaces, resume } = credentials;
    reservation.admit(connection, replaces === undefined ? {} : { replaces });
    await ports.open(connection, { resume });
    if (!connection.isOpen) return;
    if (connection.state !== 'ready') throw new Error('open settled without establishing the connection');
    this.#release();
  }

  #release(): void {
    const { limits, socket } = this.#deps;
    socket.limitMessageBytes(limits.maxTransportFrameBytes, 1009);
    // A handler may close the connection: stop clears what is left.
    for (let next = this.#held.shift(); next !== undefined; next = this.#held.shift()) this.#deps.route(next);
    this.#done = true;
  }
}

import type { Logger } from '@runwire/kernel';
import { decodeClientMessage } from '@runwire/protocol';
import type { Agenda } from './agenda.js';
import { classifyFailure, verifyToken } from './authentication.js';
import type { ClientConnection } from './client-connection.js';
import type { ConnectionHost } from './connection-host.js';
import type { AuthenticationAttempt, ConnectionStateKind, Principal, Reservation } from './contract.js';
import { type Credentials, credentialsOfMessage } from './handshake.js';
import { HeldFrames } from './held-frames.js';
import type { Incoming } from './replies.js';
import type { Socket } from './socket.js';

/** Who is opened. */
export interface OpeningOwner {
  readonly logger: Logger;
  readonly agenda: Agenda;
  readonly socket: Socket;
  readonly reservation: Reservation;
  readonly state: ConnectionStateKind;
  /** The user is known: the connection as others see it. */
  admit(principal: Principal): ClientConnection;
  /** Handles a message of an open connection. */
  route(incoming: Incoming): void;
  /** Messages are routed as they come from now on. */
  opened(): void;
  close(code: number, reason: string): void;
}

/**
 * From the accepted socket to the first routed message: authenticate, admit, open, then what was held. It is there
 * as long as that takes: the token and what was held go with it.
 */
export class Opening implements AuthenticationAttempt {
  readonly #host: ConnectionHost;
  readonly #owner: OpeningOwner;
  readonly #held: HeldFrames;
  readonly #tokenInHandshake: boolean;
  /** Aborts the verification when the connection closes, if anybody asked for that. */
  #over: AbortController | undefined;
  #isStopped = false;
  #credentials: Credentials | undefined;

  /** `credentials` are undefined when the first frame brings them. */
  constructor(host: ConnectionHost, owner: OpeningOwner, credentials: Credentials | undefined) {
    this.#host = host;
    this.#owner = owner;
    this.#held = new HeldFrames(host.options.limits);
    this.#credentials = credentials;
    this.#tokenInHandshake = credentials !== undefined;
  }

  get signal(): AbortSignal {
    this.#over ??= new AbortController();
    if (this.#isStopped) this.#over.abort();
    return this.#over.signal;
  }

  start(deadlineAtMs: number): void {
    const { agenda, socket } = this.#owner;
    const { limits } = this.#host.options;
    if (this.#tokenInHandshake) socket.limitMessageBytes(limits.maxHeldBytes, 4400);
    else socket.limitMessageBytes(limits.maxBytesBeforeAuthentication, 1009);
    agenda.set('authentication', deadlineAtMs);
    if (this.#credentials !== undefined) void this.#authenticate(this.#credentials);
  }

  take(incoming: Incoming): void {
    if (this.#owner.state === 'authenticating' && !this.#tokenInHandshake)
      this.#beforeAuthentication(incoming);
    else if (!this.#held.hold(incoming)) this.#owner.close(4400, 'too much before connection_established');
  }

  /** The job `authentication`: no token came, or it could not be verified in time. */
  timeOut(): void {
    this.#owner.close(4408, 'no authentication in time');
  }

  stop(): void {
    this.#held.clear();
    this.#isStopped = true;
    this.#over?.abort();
    this.#owner.agenda.cancel('authentication');
  }

  #beforeAuthentication({ text, bytes }: Incoming): void {
    const { limits } = this.#host.options;
    if (this.#credentials !== undefined) this.#owner.close(4400, 'more than one frame before authentication');
    else if (bytes > limits.maxBytesBeforeAuthentication) {
      this.#owner.close(1009, 'too large before authentication');
    } else {
      const decoded = decodeClientMessage(text, limits);
      if (decoded.ok && decoded.message.type === 'authenticate') {
        this.#credentials = credentialsOfMessage(decoded.message);
        void this.#authenticate(this.#credentials);
      } else this.#owner.close(4401, 'the first frame must be authenticate');
    }
  }

  /** Never rejects. One function, because promises are much of what a connect costs. */
  async #authenticate({ replaces, resume, token }: Credentials): Promise<void> {
    const { deps } = this.#host;
    const { reservation } = this.#owner;
    try {
      let principal: Principal;
      try {
        principal = await verifyToken(deps, token, this);
      } catch (cause) {
        this.#refused(cause);
        return;
      }
      // The peer may have gone, or the time may have run out, while the token was verified.
      if (this.#owner.state !== 'authenticating') return;
      const connection = this.#admit(principal);
      reservation.admit(connection, replaces === undefined ? {} : { replaces });
      await deps.open(connection, { resume });
      if (!connection.isOpen) return;
      if (connection.state !== 'ready') throw new Error('open settled without establishing the connection');
      this.#release();
    } catch (cause) {
      this.#owner.logger.error({ err: cause }, 'A connection could not be opened');
      this.#owner.close(4500, 'server error');
    }
  }

  #refused(cause: unknown): void {
    if (this.#owner.state !== 'authenticating') return;
    const failure = classifyFailure(cause);
    if (failure.kind === 'refused') this.#owner.close(failure.closeCode, failure.code);
    else {
      this.#owner.logger.error({ err: cause }, 'A token could not be verified');
      this.#owner.close(4500, 'server error');
    }
  }

  #admit(principal: Principal): ClientConnection {
    this.#owner.agenda.cancel('authentication');
    this.#owner.socket.limitMessageBytes(this.#host.options.limits.maxHeldBytes, 4400);
    return this.#owner.admit(principal);
  }

  #release(): void {
    const { limits } = this.#host.options;
    this.#owner.socket.limitMessageBytes(limits.maxTransportFrameBytes, 1009);
    // A handler may close the connection: stop clears what is left.
    for (let next = this.#held.shift(); next !== undefined; next = this.#held.shift())
      this.#owner.route(next);
    this.#owner.opened();
  }
}

import { createDeferred, type Deferred, type TimerHandle } from '@runwire/kernel';
import { CLIENT_LIMITS, type ControlMessageOf, type Cursor, closeAction } from '@runwire/protocol/wire';
import { type ConnectionEvent, nextState } from './connection-state.js';
import type { ClientProblem, ClientState, TransportKind } from './contract.js';
import { type ClientError, stopError } from './errors.js';
import { createHandover, type Handover } from './handover.js';
import { type Link, type LinkEnd, type LinkHandlers, openLink } from './link.js';
import type { ResolvedOptions } from './options.js';
import type { Unsubscribe } from './ports.js';
import { DEFAULT_DELAYS, planReconnect, type ReconnectDelays, type ReconnectPlan } from './reconnect.js';
import { createTransport, type Transport } from './transport.js';
import { probeUpgrade } from './upgrade-probe.js';

/** Keeps the client connected: attempts, delays, stops, and the move away from a draining server. */
export interface Connector {
  readonly state: ClientState;
  readonly transport: TransportKind;
  /** The connection that commands and acks go to; undefined unless established. */
  readonly link: Link | undefined;
  connect(): Promise<void>;
  /** A link was established. `reset`: it starts over, so no other link can go on beside it. */
  established(link: Link, message: ControlMessageOf<'connection_established'>, reset: boolean): void;
  caughtUp(link: Link): void;
  draining(link: Link, message: ControlMessageOf<'server_draining'>): void;
  /** Drops the connection; the next one comes as after 1006. */
  drop(reason: string): void;
  /** Stops, for good unless `resumable`. */
  stop(end: Stop): void;
}

/** How a client stops; see `ClientState`. */
export type Stop = Omit<ConnectionEvent & { readonly kind: 'stop' }, 'kind'>;

/** What the connector needs of its client. */
export interface ConnectorDeps {
  readonly resume: () => Cursor | 'live' | 'beginning';
  readonly link: Omit<LinkHandlers, 'ended'>;
  /** Commands go to `link` from now on. */
  readonly up: () => void;
  readonly down: () => void;
  /** The client stopped by itself. */
  readonly stopped: (error: ClientError) => void;
  readonly onState: (state: ClientState) => void;
  readonly report: (problem: ClientProblem) => void;
}

/** Creates the connector, idle. */
export function createConnector(deps: ConnectorDeps, options: ResolvedOptions): Connector {
  return new ReconnectingConnector(deps, options);
}

class ReconnectingConnector implements Connector {
  state: ClientState = { kind: 'idle' };
  readonly #deps: ConnectorDeps;
  readonly #options: ResolvedOptions;
  readonly #handlers: LinkHandlers;
  readonly #handover: Handover;
  readonly #transport: Transport;
  #ready: Deferred<void> = createDeferred();
  #link: Link | undefined;
  #retry: TimerHandle | undefined;
  #retryFixed = false;
  #probe: AbortController | undefined;
  #page: Unsubscribe | undefined;
  #delays: ReconnectDelays = DEFAULT_DELAYS;
  #failures = 0;
  #tokenReason: 'connect' | 'refresh' = 'connect';
  /** A 4401 was answered with a new token, and no connection has worked since. */
  #refreshed = false;

  constructor(deps: ConnectorDeps, options: ResolvedOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#transport = createTransport(options);
    this.#handlers = { ...deps.link, ended: (link, end) => this.#ended(link, end) };
    this.#handover = createHandover({
      ...options,
      delays: () => this.#delays,
      open: () => {
        const replaces = this.link?.connectionId;
        return replaces === undefined ? undefined : this.#openLink(replaces);
      },
    });
  }

  get transport(): TransportKind {
    return this.#transport.kind;
  }

  get link(): Link | undefined {
    return this.#link?.connectionId === undefined ? undefined : this.#link;
  }

  async connect(): Promise<void> {
    const { kind } = this.state;
    if (kind === 'stopped' && !this.state.resumable) throw stopError(this.state);
    if (kind === 'idle' || kind === 'stopped') {
      this.#ready = createDeferred();
      this.#failures = 0;
      this.#refreshed = false;
      this.#tokenReason = 'connect';
      this.#page = this.#options.page.subscribe((signal) => this.#signalled(signal));
      this.#dispatch({ kind: 'connect' });
      this.#open();
    }
    await this.#ready.promise;
  }

  established(link: Link, message: ControlMessageOf<'connection_established'>, reset: boolean): void {
    this.#delays = message.reconnect;
    this.#transport.works();
    if (link === this.#handover.next) {
      if (reset) this.#takeOver(link);
      return;
    }
    // A handler that threw may have stopped the client just now.
    if (link !== this.#link) return;
    this.#dispatch({ kind: 'established', connectionId: message.connectionId });
    this.#deps.up();
  }

  caughtUp(link: Link): void {
    this.#refreshed = false;
    if (link === this.#handover.next) this.#takeOver(link);
    if (link !== this.#link) return;
    this.#dispatch({ kind: 'caught_up' });
    this.#ready.resolve();
  }

  draining(link: Link, { reconnectAfterMs }: ControlMessageOf<'server_draining'>): void {
    if (link === this.#link) this.#handover.start(reconnectAfterMs);
  }

  drop(reason: string): void {
    this.#link?.fail(reason);
  }

  #open(): void {
    if (!this.#options.page.online) this.#dispatch({ kind: 'offline' });
    else if (this.#transport.socket === undefined) void this.#load();
    else this.#link = this.#openLink(undefined);
  }

  async #load(): Promise<void> {
    const loaded = await this.#transport.load();
    if (this.state.kind !== 'connecting' || this.#link !== undefined) return;
    if (loaded) this.#open();
    else this.#lost({ code: 1006, reason: 'no transport', stage: 'token' });
  }

  #openLink(replaces: string | undefined): Link | undefined {
    const { socket: webSocket } = this.#transport;
    if (webSocket === undefined) return undefined;
    const request = { webSocket, tokenReason: this.#tokenReason, resume: this.#deps.resume, replaces };
    return openLink(this.#options, request, this.#handlers);
  }

  #ended(link: Link, end: LinkEnd): void {
    if (end.stage === 'token') {
      this.#deps.report({ code: 'TOKEN_FAILED', message: 'There is no token.', cause: end.cause });
    }
    if (this.#handover.refused(link)) return;
    if (link !== this.#link) return;
    this.#link = undefined;
    this.#deps.down();
    const { active, next } = this.#handover;
    this.#handover.end();
    // The server closes this one when the next has caught up: that may be seen first.
    if (next !== undefined) this.#takeOver(next);
    else if (end.unauthenticated === true) this.stop({ code: 4401, reason: end.reason, resumable: true });
    else this.#lost(active && closeAction(end.code) === 'resume' ? { ...end, code: 1012 } : end, link);
  }

  #lost(end: LinkEnd, link?: Link): void {
    const { clock, random } = this.#options;
    const stableMs = clock.monotonicMs() - (link?.establishedAtMs ?? Number.POSITIVE_INFINITY);
    if (stableMs >= CLIENT_LIMITS.reconnectStableMs) this.#failures = 0;
    const ending = { ...end, failures: this.#failures, refreshed: this.#refreshed };
    const plan = planReconnect(ending, this.#delays, random);
    if (plan.kind === 'stop') {
      if (plan.report) this.#deps.report({ code: 'STOPPED', message: stopError(end).message });
      this.stop({ ...end, resumable: plan.resumable });
      return;
    }
    const refreshes = plan.refresh === true;
    this.#failures += 1;
    this.#refreshed ||= refreshes;
    // A new token is still owed when it could not be had.
    if (end.stage !== 'token') this.#tokenReason = refreshes ? 'refresh' : 'connect';
    const isUnexplained = this.#transport.ended(end, link);
    this.#wait(plan, end);
    // A listener may have closed the client just now.
    if (isUnexplained && this.state.kind === 'waiting') void this.#askWhy(plan.delayMs, end);
  }

  #wait(plan: ReconnectPlan & { kind: 'wait' }, { code, reason }: LinkEnd): void {
    this.#retry?.cancel();
    this.#retryFixed = plan.fixed === true;
    this.#retry = this.#options.clock.setTimer(plan.delayMs, () => this.#tryAgain());
    const attempt = this.#failures + 1;
    this.#dispatch({ kind: 'lost', attempt, retryInMs: plan.delayMs, closeCode: code, reason });
  }

  #tryAgain(): void {
    this.#cancelWait();
    this.#dispatch({ kind: 'retry' });
    this.#open();
  }

  #cancelWait(): void {
    this.#retry?.cancel();
    this.#probe?.abort();
    this.#probe = undefined;
  }

  /** A browser cannot see why an upgrade failed: two in a row are asked about with a plain request. */
  async #askWhy(plannedMs: number, end: LinkEnd): Promise<void> {
    this.#retry?.cancel();
    const probe = new AbortController();
    this.#probe = probe;
    const answer = await probeUpgrade(this.#options, probe);
    // The page's signals and a stop go before it.
    if (this.#probe !== probe) return;
    if (answer.kind === 'stop') {
      const { code, message } = answer.error;
      this.#deps.report({ code, message });
      this.stop({ code: answer.status, reason: message, resumable: false });
      return;
    }
    if (answer.kind === 'accepted') this.#transport.blocked();
    const fixed = answer.kind === 'wait';
    const spreadMs = this.#options.random() * this.#delays.windowMs;
    const delayMs = fixed ? answer.delayMs + spreadMs : plannedMs;
    this.#wait({ kind: 'wait', delayMs, fixed }, end);
  }

  stop({ code, reason, resumable }: Stop): void {
    this.#cancelWait();
    this.#page?.();
    const links = [this.#link, this.#handover.next];
    this.#link = undefined;
    this.#handover.end();
    for (const link of links) link?.close();
    this.#dispatch({ kind: 'stop', code, reason, resumable });
    const error = stopError({ code, reason });
    this.#ready.reject(error);
    // Nobody may be waiting for it.
    this.#ready.promise.catch(() => undefined);
    this.#deps.stopped(error);
  }

  /** The next connection is the one now: it is as far as the draining one, or that one ended. */
  #takeOver(next: Link): void {
    const old = this.#link;
    this.#link = next;
    this.#handover.end();
    old?.close();
    const { connectionId } = next;
    if (connectionId === undefined) {
      this.#dispatch({ kind: 'lost', attempt: 1, retryInMs: 0, closeCode: 1012, reason: 'draining' });
      this.#dispatch({ kind: 'retry' });
      return;
    }
    this.#dispatch({ kind: 'replaced', connectionId });
    this.#deps.up();
  }

  #signalled(signal: 'online' | 'offline' | 'visible'): void {
    const { kind } = this.state;
    if (signal === 'offline') {
      if (kind !== 'waiting' || this.#retryFixed) return;
      this.#cancelWait();
      this.#dispatch({ kind: 'offline' });
    } else if (kind === 'offline' || (kind === 'waiting' && !this.#retryFixed)) {
      this.#tryAgain();
    } else {
      this.#link?.probe();
    }
  }

  #dispatch(event: ConnectionEvent): void {
    const state = nextState(this.state, event);
    if (state === this.state) return;
    this.state = state;
    this.#deps.onState(state);
  }
}

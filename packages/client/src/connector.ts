import { createDeferred, type Deferred, type TimerHandle } from '@runwire/kernel';
import { type ControlMessageOf, type Cursor, closeAction, LIMITS } from '@runwire/protocol';
import { type ConnectionEvent, nextState } from './connection-state.js';
import type { ClientProblem, ClientState, Unsubscribe } from './contract.js';
import { type ClientError, stopError } from './errors.js';
import { createHandover, type Handover } from './handover.js';
import { type Link, type LinkEnd, type LinkHandlers, openLink } from './link.js';
import type { ResolvedOptions } from './options.js';
import { planReconnect, type ReconnectDelays, type ReconnectPlan } from './reconnect.js';
import { probeUpgrade } from './upgrade-probe.js';

/** Keeps the client connected: attempts, delays, stops, and the move away from a draining server. */
export interface Connector {
  readonly state: ClientState;
  /** The connection that commands and acks go to; undefined unless established. */
  readonly link: Link | undefined;
  connect(): Promise<void>;
  /** A link was established. `reset`: it starts over, so no other link can go on beside it. */
  established(link: Link, message: ControlMessageOf<'connection_established'>, reset: boolean): void;
  caughtUp(link: Link): void;
  draining(link: Link, message: ControlMessageOf<'server_draining'>): void;
  /** Drops the connection; the next one comes as after 1006. */
  drop(reason: string): void;
  /** Stops for good. */
  close(): void;
}

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
  readonly #deps: ConnectorDeps;
  readonly #options: ResolvedOptions;
  readonly #handlers: LinkHandlers;
  readonly #handover: Handover;
  #state: ClientState = { kind: 'idle' };
  #ready: Deferred<void> = createDeferred();
  #link: Link | undefined;
  #retry: TimerHandle | undefined;
  #retryFixed = false;
  #probe: AbortController | undefined;
  #page: Unsubscribe | undefined;
  #delays: ReconnectDelays = {
    minDelayMs: LIMITS.reconnectMinDelayMs,
    maxDelayMs: LIMITS.reconnectMaxDelayMs,
    windowMs: LIMITS.reconnectWindowMs,
  };
  #failures = 0;
  #refusals = 0;
  #tokenReason: 'connect' | 'refresh' = 'connect';
  /** A 4401 was answered with a new token, and no connection has worked since. */
  #refreshed = false;

  constructor(deps: ConnectorDeps, options: ResolvedOptions) {
    this.#deps = deps;
    this.#options = options;
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

  get state(): ClientState {
    return this.#state;
  }

  get link(): Link | undefined {
    return this.#link?.connectionId === undefined ? undefined : this.#link;
  }

  async connect(): Promise<void> {
    const { kind } = this.#state;
    if (kind === 'closed' && !this.#state.resumable) throw stopError(this.#state);
    if (kind === 'idle' || kind === 'closed') {
      this.#ready = createDeferred();
      this.#failures = 0;
      this.#refusals = 0;
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
    if (link === this.#handover.next) {
      if (reset) this.#takeOver(link);
      return;
    }
    this.#dispatch({ kind: 'established', connectionId: message.connectionId });
    this.#deps.up();
  }

  caughtUp(link: Link): void {
    this.#refusals = 0;
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

  close(): void {
    this.#stop({ code: 1000, reason: 'closed', resumable: false });
  }

  #open(): void {
    if (!this.#options.page.online) {
      this.#dispatch({ kind: 'offline' });
      return;
    }
    this.#link = this.#openLink(undefined);
  }

  #openLink(replaces: string | undefined): Link {
    return openLink(
      this.#options,
      { tokenReason: this.#tokenReason, resume: this.#deps.resume, replaces },
      this.#handlers,
    );
  }

  // ---- The end of a connection

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
    if (next !== undefined) this.#fallOver(next);
    else if (end.unauthenticated === true) this.#stop({ code: 4401, reason: end.reason, resumable: true });
    else this.#lost(link, active && closeAction(end.code) === 'resume' ? { ...end, code: 1012 } : end);
  }

  #lost(link: Link, end: LinkEnd): void {
    const { clock, random } = this.#options;
    const { establishedAtMs } = link;
    if (establishedAtMs !== undefined && clock.monotonicMs() - establishedAtMs >= LIMITS.reconnectStableMs) {
      this.#failures = 0;
    }
    const ending = { ...end, failures: this.#failures, refreshed: this.#refreshed };
    const plan = planReconnect(ending, this.#delays, random);
    if (plan.kind === 'stop') {
      if (plan.report) this.#deps.report({ code: 'STOPPED', message: stopError(end).message });
      this.#stop({ ...end, resumable: plan.resumable });
      return;
    }
    this.#failures += 1;
    if (plan.refresh) this.#refreshed = true;
    if (end.stage !== 'token') this.#tokenReason = plan.refresh ? 'refresh' : 'connect';
    this.#refusals = end.stage === 'upgrade' ? this.#refusals + 1 : 0;
    this.#wait(plan, end.code);
    if (this.#refusals >= 2) void this.#askWhy(plan.delayMs, end.code);
  }

  #wait(plan: ReconnectPlan & { kind: 'wait' }, closeCode: number): void {
    this.#retry?.cancel();
    this.#retryFixed = plan.fixed;
    this.#retry = this.#options.clock.setTimer(plan.delayMs, () => this.#tryAgain());
    const attempt = this.#failures + 1;
    this.#dispatch({ kind: 'lost', attempt, retryInMs: plan.delayMs, closeCode });
  }

  #tryAgain(): void {
    this.#probe?.abort();
    this.#retry?.cancel();
    this.#dispatch({ kind: 'retry' });
    this.#open();
  }

  /** A browser cannot see why an upgrade failed: two in a row are asked about with a plain request. */
  async #askWhy(plannedMs: number, closeCode: number): Promise<void> {
    this.#refusals = 0;
    this.#retry?.cancel();
    const probe = new AbortController();
    this.#probe = probe;
    const answer = await probeUpgrade(this.#options, probe.signal);
    if (probe.signal.aborted) return;
    if (answer.kind === 'stop') {
      const { code, message } = answer.error;
      this.#deps.report({ code, message });
      this.#stop({ code: answer.status, reason: message, resumable: false });
      return;
    }
    const fixed = answer.kind === 'wait';
    const spreadMs = this.#options.random() * this.#delays.windowMs;
    const delayMs = fixed ? answer.delayMs + spreadMs : plannedMs;
    this.#wait({ kind: 'wait', delayMs, refresh: false, fixed }, closeCode);
  }

  #stop(end: { readonly code: number; readonly reason: string; readonly resumable: boolean }): void {
    this.#retry?.cancel();
    this.#probe?.abort();
    this.#page?.();
    const links = [this.#link, this.#handover.next];
    this.#link = undefined;
    this.#handover.end();
    for (const link of links) link?.close();
    const { code, reason, resumable } = end;
    this.#dispatch({ kind: 'stop', code, reason, resumable });
    const error = stopError(end);
    if (this.#ready.pending) this.#ready.reject(error);
    // Nobody may be waiting for it.
    this.#ready.promise.catch(() => undefined);
    this.#deps.stopped(error);
  }

  #takeOver(next: Link): void {
    const old = this.#link;
    this.#link = next;
    this.#handover.end();
    old?.close();
    if (next.connectionId !== undefined) {
      this.#dispatch({ kind: 'replaced', connectionId: next.connectionId });
    }
    this.#deps.up();
  }

  /** The draining connection ended while the next is under way: the next is the one now. */
  #fallOver(next: Link): void {
    this.#link = next;
    this.#dispatch({ kind: 'lost', attempt: 1, retryInMs: 0, closeCode: 1012 });
    this.#dispatch({ kind: 'retry' });
    const { connectionId } = next;
    if (connectionId === undefined) return;
    this.#dispatch({ kind: 'established', connectionId });
    this.#deps.up();
  }

  // ---- The page

  #signalled(signal: 'online' | 'offline' | 'visible'): void {
    const { kind } = this.#state;
    if (signal === 'offline') {
      if (kind !== 'waiting' || this.#retryFixed) return;
      this.#retry?.cancel();
      this.#probe?.abort();
      this.#dispatch({ kind: 'offline' });
    } else if (kind === 'offline' || (kind === 'waiting' && !this.#retryFixed)) {
      this.#tryAgain();
    } else {
      this.#link?.probe();
    }
  }

  #dispatch(event: ConnectionEvent): void {
    const state = nextState(this.#state, event);
    if (state === this.#state) return;
    this.#state = state;
    this.#deps.onState(state);
  }
}

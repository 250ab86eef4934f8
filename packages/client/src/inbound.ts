import type { Clock } from '@runwire/kernel';
import {
  type ControlMessage,
  type ControlMessageOf,
  type ControlType,
  type ErrorBody,
  isLogEvent,
  type RunwireEvent,
  type ServerMessage,
} from '@runwire/protocol/wire';
import type { Commands } from './commands.js';
import type { Connector } from './connector.js';
import type { ClientProblem } from './contract.js';
import type { Delivery } from './delivery.js';
import type { Link } from './link.js';
import type { TokenRefresh } from './token-refresh.js';

/** Leads each message to the part of the client that it is for. */
export interface Inbound {
  /** Established so far. */
  readonly connections: number;
  /** Add to the local wall clock to get the server's. */
  readonly serverOffsetMs: number;
  /** Handles the messages of one frame, in order, then acks. */
  frame(link: Link, messages: readonly ServerMessage[], bytes: number): void;
  /** Asks for what is missing behind the last event received. */
  resync(link: Link | undefined): void;
  /** Resyncs did not close a gap: the stream contradicts what was applied. Everything up to `sent` was sent. */
  giveUpGap(sent: number): void;
}

/** The parts. */
export interface InboundDeps {
  readonly clock: Clock;
  readonly delivery: Delivery;
  readonly commands: Commands;
  readonly refresh: TokenRefresh;
  readonly connector: () => Connector;
  readonly report: (problem: ClientProblem) => void;
}

/** Creates the switch of one client. */
export function createInbound(deps: InboundDeps): Inbound {
  return new MessageSwitch(deps);
}

class MessageSwitch implements Inbound {
  connections = 0;
  serverOffsetMs = 0;
  readonly #deps: InboundDeps;
  readonly #handlers: { readonly [T in ControlType]: (link: Link, message: ControlMessageOf<T>) => void } = {
    connection_established: (link, message) => this.#established(link, message),
    caught_up: (link, message) => this.#caughtUp(link, message),
    reset: (link, { reason, stream, ref }) => {
      link.caughtUp(stream.head, ref);
      this.#deps.delivery.reset(reason, stream);
    },
    heartbeat: (link, { sent, serverTimeMs }) => {
      this.#setServerTime(serverTimeMs);
      link.sent(sent);
      if (this.#deps.delivery.misses(sent)) this.resync(link);
    },
    // That it came at all is what counts, and the link has heard it.
    pong: () => undefined,
    command_accepted: (_, { ref, result }) => {
      if (ref !== null) this.#deps.commands.accepted(ref, result);
    },
    command_rejected: (link, { ref, error }) => this.#refused(link, ref, error),
    auth_expiring: (link) => this.#deps.refresh.start(link),
    auth_refreshed: (_, { ref }) => void this.#deps.refresh.accepted(ref),
    server_draining: (link, message) => this.#deps.connector().draining(link, message),
    error: (link, message) => this.#refused(link, message.ref ?? null, message),
  };

  constructor(deps: InboundDeps) {
    this.#deps = deps;
  }

  frame(link: Link, messages: readonly ServerMessage[], bytes: number): void {
    for (const message of messages) {
      if (isLogEvent(message)) this.#event(link, message);
      else this.#control(link, message);
    }
    link.applied(bytes, this.#deps.delivery.applied?.seq ?? 0);
  }

  resync(link: Link | undefined): void {
    const { received } = this.#deps.delivery;
    if (received !== undefined) link?.resync(received);
  }

  giveUpGap(sent: number): void {
    const { delivery, report } = this.#deps;
    if (delivery.received === undefined) return;
    report({ code: 'GAP_UNRESOLVED', message: 'Events are missing and were not sent again.' });
    delivery.reset('fork', { epoch: delivery.received.epoch, head: sent, headId: null });
  }

  #event(link: Link, event: RunwireEvent): void {
    link.sent(event.seq);
    if (this.#deps.delivery.receive(event)) this.resync(link);
  }

  /** A message of a type that is not known, of a newer server say, is ignored. */
  #control(link: Link, message: ControlMessage): void {
    if (!Object.hasOwn(this.#handlers, message.type)) return;
    // The table pairs each type with the handler of its messages.
    (this.#handlers[message.type] as (link: Link, message: ControlMessage) => void)(link, message);
  }

  #refused(link: Link, ref: string | null, error: ErrorBody): void {
    const { commands, refresh, report } = this.#deps;
    if (link.resyncRefused(ref, error)) return;
    if (ref !== null && (commands.rejected(ref, error) || refresh.refused(ref, error))) return;
    report({ code: error.code, message: error.message, error });
  }

  #established(link: Link, message: ControlMessageOf<'connection_established'>): void {
    const { commands, connector, delivery } = this.#deps;
    this.connections += 1;
    this.#setServerTime(message.serverTimeMs);
    commands.limit(message.limits.maxMessageBytes);
    link.established(message);
    const { resets } = delivery.counts;
    delivery.established(message);
    connector().established(link, message, delivery.counts.resets > resets);
  }

  #caughtUp(link: Link, { seq, ref }: ControlMessageOf<'caught_up'>): void {
    link.caughtUp(seq, ref);
    if (this.#deps.delivery.misses(seq)) this.resync(link);
    if (ref === undefined) this.#deps.connector().caughtUp(link);
  }

  #setServerTime(serverTimeMs: number): void {
    this.serverOffsetMs = serverTimeMs - this.#deps.clock.nowMs();
  }
}

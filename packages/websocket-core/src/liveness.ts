import { LIMITS } from '@runwire/protocol';
import type { Agenda } from './agenda.js';
import type { ConnectionHost } from './connection-host.js';
import type { InFlight } from './contract.js';

const BYTES_PER_KIB = 1024;
const IDLE: InFlight = Object.freeze({ unackedBytes: 0, largestFrameBytes: 0, sentSeq: 0, headSeq: 0 });

/** Whose life it is. */
export interface LivenessOwner {
  readonly agenda: Agenda;
  /** Sends a ping and, once established, a `heartbeat`. */
  beat(): void;
  /** No life for the silence limit. */
  dead(acksOutstanding: boolean): void;
}

/**
 * Heartbeat and silence of one connection (protocol §3). Only inbound frames are life: kernel buffers hide
 * megabytes, so what drains proves nothing.
 */
export class Liveness {
  readonly #host: ConnectionHost;
  readonly #owner: LivenessOwner;
  #lastInboundMs: number;
  #flow = IDLE;
  /** What its frames in flight added to the silence limit when that was looked at last. */
  #extraMs = 0;
  #stopped = false;

  constructor(host: ConnectionHost, owner: LivenessOwner) {
    this.#host = host;
    this.#owner = owner;
    this.#lastInboundMs = host.deps.clock.monotonicMs();
  }

  get flow(): InFlight {
    return this.#flow;
  }

  get lastInboundAtMs(): number {
    const { clock } = this.#host.deps;
    return clock.nowMs() - (clock.monotonicMs() - this.#lastInboundMs);
  }

  start(): void {
    this.#watch();
    this.#scheduleBeat();
  }

  stop(): void {
    this.#stopped = true;
    this.#owner.agenda.cancel('heartbeat');
    this.#owner.agenda.cancel('silence');
  }

  noteInbound(): void {
    // The silence job stays where it is and looks again when it is due: no timer work per frame.
    this.#lastInboundMs = this.#host.deps.clock.monotonicMs();
  }

  reportInFlight(flow: InFlight): void {
    this.#flow = flow;
    const before = this.#extraMs;
    this.#extraMs = extraSilenceMs(flow.largestFrameBytes);
    // A smaller frame brings the deadline forward, which the job would notice too late.
    if (!this.#stopped && this.#extraMs < before) this.#watch();
  }

  /** The job `heartbeat`. */
  beat(): void {
    this.#owner.beat();
    if (!this.#stopped) this.#scheduleBeat();
  }

  /** The job `silence`. */
  suspect(): void {
    // After a long block of the loop the peer's frames are in the kernel, unread: read first, then judge.
    this.#host.deps.clock.nextTurn(() => this.#judge());
  }

  #scheduleBeat(): void {
    const { deps, options } = this.#host;
    const factor = 1 + LIMITS.heartbeatJitter * (2 * options.random() - 1);
    const atMs = deps.clock.monotonicMs() + options.limits.heartbeatIntervalMs * factor;
    this.#owner.agenda.set('heartbeat', atMs);
  }

  #watch(): void {
    this.#owner.agenda.set('silence', this.#deadlineMs());
  }

  #judge(): void {
    if (this.#stopped) return;
    if (this.#host.deps.clock.monotonicMs() < this.#deadlineMs()) this.#watch();
    else this.#owner.dead(this.#flow.unackedBytes > 0);
  }

  #deadlineMs(): number {
    const { silenceTimeoutMs } = this.#host.options.limits;
    return this.#lastInboundMs + silenceTimeoutMs + extraSilenceMs(this.#flow.largestFrameBytes);
  }
}

/** What a frame above 16 KiB adds to the silence limit: a slow reader cannot ack what it has not read. */
export function extraSilenceMs(largestFrameBytes: number): number {
  const excessBytes = Math.max(0, largestFrameBytes - LIMITS.maxFrameBytes);
  return (excessBytes / BYTES_PER_KIB) * LIMITS.silenceExtraMsPerKib;
}

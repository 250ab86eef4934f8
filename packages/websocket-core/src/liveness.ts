import type { Clock } from '@runwire/kernel';
import { LIMITS } from '@runwire/protocol';
import type { Agenda } from './agenda.js';
import type { InFlight } from './contract.js';
import type { SocketLimits } from './options.js';

const BYTES_PER_KIB = 1024;
const IDLE: InFlight = Object.freeze({ unackedBytes: 0, largestFrameBytes: 0, sentSeq: 0, headSeq: 0 });

/** What liveness needs of its connection. */
export interface LivenessDeps {
  readonly clock: Clock;
  readonly agenda: Agenda;
  readonly random: () => number;
  readonly limits: Pick<SocketLimits, 'heartbeatIntervalMs' | 'silenceTimeoutMs'>;
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
  readonly #deps: LivenessDeps;
  #lastInboundMs: number;
  #flow = IDLE;
  #stopped = false;

  constructor(deps: LivenessDeps) {
    this.#deps = deps;
    this.#lastInboundMs = deps.clock.monotonicMs();
  }

  get flow(): InFlight {
    return this.#flow;
  }

  get lastInboundAtMs(): number {
    const { clock } = this.#deps;
    return clock.nowMs() - (clock.monotonicMs() - this.#lastInboundMs);
  }

  start(): void {
    this.#lastInboundMs = this.#deps.clock.monotonicMs();
    this.#watch();
    this.#scheduleBeat();
  }

  stop(): void {
    this.#stopped = true;
    this.#deps.agenda.cancel('heartbeat');
    this.#deps.agenda.cancel('silence');
  }

  noteInbound(): void {
    // The silence job stays where it is and looks again when it is due: no timer work per frame.
    this.#lastInboundMs = this.#deps.clock.monotonicMs();
  }

  reportInFlight(flow: InFlight): void {
    const before = extraSilenceMs(this.#flow.largestFrameBytes);
    this.#flow = flow;
    // A smaller frame brings the deadline forward, which the job would notice too late.
    if (!this.#stopped && extraSilenceMs(flow.largestFrameBytes) < before) this.#watch();
  }

  #scheduleBeat(): void {
    const { agenda, clock, limits, random } = this.#deps;
    const factor = 1 + LIMITS.heartbeatJitter * (2 * random() - 1);
    agenda.set('heartbeat', clock.monotonicMs() + limits.heartbeatIntervalMs * factor, () => {
      this.#deps.beat();
      if (!this.#stopped) this.#scheduleBeat();
    });
  }

  #watch(): void {
    this.#deps.agenda.set('silence', this.#deadlineMs(), () => {
      // After a long block of the loop the peer's frames are in the kernel, unread: read first, then judge.
      this.#deps.clock.nextTurn(() => this.#judge());
    });
  }

  #judge(): void {
    if (this.#stopped) return;
    if (this.#deps.clock.monotonicMs() < this.#deadlineMs()) this.#watch();
    else this.#deps.dead(this.#flow.unackedBytes > 0);
  }

  #deadlineMs(): number {
    const { silenceTimeoutMs } = this.#deps.limits;
    return this.#lastInboundMs + silenceTimeoutMs + extraSilenceMs(this.#flow.largestFrameBytes);
  }
}

/** What a frame above 16 KiB adds to the silence limit: a slow reader cannot ack what it has not read. */
export function extraSilenceMs(largestFrameBytes: number): number {
  const excessBytes = Math.max(0, largestFrameBytes - LIMITS.maxFrameBytes);
  return (excessBytes / BYTES_PER_KIB) * LIMITS.silenceExtraMsPerKib;
}

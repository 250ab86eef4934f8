import type { DeliveryAck, DeliveryObserver } from '@runwire/bridge-factory';
import type { AppendResult, EventLogObserver } from '@runwire/event-log';
import type { Clock } from '@runwire/kernel';
import { Histogram } from 'prom-client';
import { RunDeliveries, type RunDeliveriesOptions } from './run-deliveries.js';

/** From 5 ms, a local network, to the half minute after which a silent client is closed. */
const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Measures delivery where it counts: what the log took, and what clients say that they have applied. */
export class DeliveryMeter implements DeliveryObserver, EventLogObserver {
  readonly runs: RunDeliveries;
  /** Of no registry yet: whoever shows metrics registers it. */
  readonly waits = new Histogram({
    name: 'runwire_delivery_ack_seconds',
    help: 'From handing events to a connection to their acknowledgement.',
    buckets: BUCKETS_SECONDS,
    registers: [],
  });
  #eventsAppended = 0;

  constructor(deps: { readonly clock: Pick<Clock, 'nowMs'> }, options: RunDeliveriesOptions = {}) {
    this.runs = new RunDeliveries(deps.clock, options);
  }

  /** Events that the log has taken since the start, of all users; a repeated append counts once. */
  get eventsAppended(): number {
    return this.#eventsAppended;
  }

  appended({ firstSeq, lastSeq }: AppendResult): void {
    this.#eventsAppended += lastSeq - firstSeq + 1;
  }

  acked(ack: DeliveryAck): void {
    if (ack.waitedMs !== undefined) this.waits.observe(ack.waitedMs / 1_000);
    this.runs.noteAcked(ack);
  }
}

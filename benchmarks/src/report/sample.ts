import type { DeliveryOutcome, Metrics } from '../workloads/contract.js';

/** One run of one workload with one contestant in one round. */
export interface Sample {
  readonly workload: string;
  readonly contestant: string;
  readonly round: number;
  /** Of the machine, over the last minute. */
  readonly load: number;
  /** Of the whole run, from the start of its processes to their end. */
  readonly tookMs: number;
  readonly metrics: Metrics;
  readonly delivery?: DeliveryOutcome;
  /** Why the contestant could not be measured in this round. */
  readonly failure?: string;
}

/**
 * What is wrong with the deliveries of a run; empty when each event came once and in order, and by itself unless
 * the contestant is one that `merges`.
 */
export function deliveryFaults(
  { delivery }: Pick<Sample, 'delivery'>,
  { merges }: { readonly merges: boolean },
): readonly string[] {
  if (delivery === undefined) return [];
  const { expected, audit } = delivery;
  const faults: string[] = [];
  const note = (count: number, what: string): void => {
    if (count !== 0) faults.push(`${count.toLocaleString('en')} ${what}`);
  };
  note(expected - audit.received, 'lost');
  note(audit.duplicated, 'twice');
  note(audit.reordered, 'out of order');
  note(audit.garbled, 'garbled');
  note(audit.protocolFaults, 'protocol faults');
  if (!merges) note(audit.received + audit.duplicated - audit.events, 'merged');
  return faults;
}

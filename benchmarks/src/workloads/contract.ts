import type { FleetAudit } from '../harness/client-fleet.js';
import type { Round } from '../harness/round.js';

/** One number of a run, by the key of its column. */
export type Metrics = Readonly<Record<string, number>>;

/** What a run of one workload with one contestant came to. */
export interface Outcome {
  readonly metrics: Metrics;
  /** Undefined when the workload delivers no events. */
  readonly delivery?: DeliveryOutcome;
}

/** What should have been delivered, and what was. */
export interface DeliveryOutcome {
  /** Events times connections. */
  readonly expected: number;
  readonly audit: FleetAudit;
}

/** A column of a workload's table. */
export interface Column {
  readonly key: string;
  readonly title: string;
}

/** What Runwire is to reach in a workload, by the design. */
export interface Goal {
  /** The column that it is about; without it, the ratio to the first contestant. */
  readonly key?: string;
  readonly atMost: number;
}

/** One workload: what is done, and what is measured. */
export interface Workload {
  readonly name: string;
  /** What it does, in one line: a name of one or two words, a colon, and the rest. */
  readonly title: string;
  /** The first one is compared between contestants. */
  readonly columns: readonly [Column, ...Column[]];
  readonly goal?: Goal;
  /** Those that take part when nobody says otherwise, the one compared with first. */
  readonly contestants: readonly string[];
  /** It means something for these contestants alone: no others can be asked for. */
  readonly isForThem?: boolean;
  readonly users: number;
  /** How many one process must be allowed to have open. */
  readonly fileDescriptors?: number;
  run(round: Round): Promise<Outcome>;
}

import type { BenchProcess } from './bench-process.js';
import type { ClientProcedures } from './client-process.js';
import type { Caller } from './rpc.js';
import type { ServerProcedures } from './server-process.js';

/** The process of a contestant's server. */
export type ServerHandle = BenchProcess<Caller<ServerProcedures>>;
/** The process of a contestant's clients. */
export type ClientHandle = BenchProcess<Caller<ClientProcedures>>;

/** A contestant that has been started. */
export interface Field {
  readonly server: ServerHandle;
  readonly client: ClientHandle;
  readonly port: number;
  /** Of the run's users, in their order. */
  readonly tokens: readonly string[];
}

/** What a workload has to work with. Whatever it starts is ended behind it. */
export interface Round {
  readonly contestant: string;
  /** A folder of this round alone, removed behind it. */
  readonly directory: string;
  /** Starts the contestant's server and a process for its clients, both fresh. */
  start(): Promise<Field>;
  /** Starts one more process for clients. */
  startClient(): ClientHandle;
  /** Does `work` and gives what processor time it took on both sides; profiled when that was asked for. */
  measured(field: Field, work: () => Promise<void>): Promise<MeasuredTime>;
  /** Aborts when the run is interrupted. */
  readonly signal: AbortSignal;
}

/** What a measured piece of work took. */
export interface MeasuredTime {
  readonly serverCpuMicros: number;
  readonly clientCpuMicros: number;
  readonly wallMs: number;
}

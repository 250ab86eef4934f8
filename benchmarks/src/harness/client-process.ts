// The process of a contestant's clients: started by the harness, told what to do by messages.
import { contestantOf } from '../contestants/catalog.js';
import { ClientFleet, type FleetRequest } from './client-fleet.js';
import { cpuMicros, sampleMemory } from './process-meter.js';
import { serveParent } from './rpc.js';

let fleet: ClientFleet | undefined;

const procedures = {
  async open({ contestant, ...request }: FleetRequest & { readonly contestant: string }) {
    fleet ??= new ClientFleet(await contestantOf(contestant).client());
    await fleet.open(request);
  },
  /** Settles when every connection has `perConnection` events in all, or nothing has come for a while. */
  untilReceived: ({ perConnection }: { readonly perConnection: number }) =>
    opened().untilReceived(perConnection),
  async cut() {
    opened().cutAll();
  },
  resume: ({ perConnection }: { readonly perConnection: number }) => opened().resumeAll(perConnection),
  latencies: async () => opened().takeLatencies(),
  audit: async () => opened().audit(),
  cpuMicros: async () => cpuMicros(),
  memory: (how: { readonly settle: boolean }) => sampleMemory(how),
  async close() {
    fleet?.close();
  },
};

/** What the harness may ask of a clients' process. */
export type ClientProcedures = typeof procedures;

serveParent(procedures);

function opened(): ClientFleet {
  if (fleet === undefined) throw new Error('No connection has been opened.');
  return fleet;
}

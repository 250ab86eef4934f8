// The process of a contestant's server: started by the harness, told what to do by messages.
import { contestantOf } from '../contestants/catalog.js';
import type { ContestantServer, ServerOptions } from '../contestants/contract.js';
import { Emission, type EmitPlan } from './emission.js';
import { cpuMicros, sampleMemory } from './process-meter.js';
import { type ProfileKind, Profiling } from './profiling.js';
import { serveParent } from './rpc.js';

let server: ContestantServer | undefined;
let emission: Emission | undefined;
let profiling: Profiling | undefined;

const procedures = {
  async start({ contestant, options }: { readonly contestant: string; readonly options: ServerOptions }) {
    const half = await contestantOf(contestant).server();
    server = await half.start(options);
    emission = new Emission(server, options.users.length);
    return { port: server.port, tokens: server.tokens ?? options.users.map(({ token }) => token) };
  },
  async prepare({ users, firstUser = 0 }: { readonly users: number; readonly firstUser?: number }) {
    await started(server).prepare(firstUser, users);
  },
  async finish() {
    await started(server).finish();
  },
  emit: (plan: EmitPlan) => started(emission).run(plan),
  cpuMicros: async () => cpuMicros(),
  memory: (how: { readonly settle: boolean }) => sampleMemory(how),
  stats: async () => started(server).stats(),
  async startProfile({ kind }: { readonly kind: ProfileKind }) {
    profiling = new Profiling(kind);
    await profiling.start();
  },
  stopProfile: ({ file }: { readonly file: string }) => started(profiling).stop(file),
  async stop() {
    await server?.close();
  },
};

/** What the harness may ask of a server's process. */
export type ServerProcedures = typeof procedures;

serveParent(procedures);

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('The server has not been started.');
  return part;
}

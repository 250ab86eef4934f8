import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchUser } from '../contestants/contract.js';
import type { Outcome, Workload } from '../workloads/contract.js';
import { type BenchProcess, startClientProcess, startServerProcess } from './bench-process.js';
import type { FrameShare, ProfileRequest } from './profiling.js';
import type { Field, MeasuredTime, Round } from './round.js';

/** What is run. */
export interface RoundRequest {
  readonly workload: Workload;
  readonly contestant: string;
  readonly users: readonly BenchUser[];
  readonly secret: string;
  readonly profile: ProfileRequest | undefined;
  /** Ends the processes when it aborts; the round rejects then. */
  readonly signal: AbortSignal;
}

/** How it went. */
export interface RoundResult {
  readonly outcome: Outcome;
  readonly frames: readonly FrameShare[];
}

/** A run that takes longer hangs. */
const RUN_TIMEOUT_MS = 180_000;

/** Runs one workload once with one contestant, in processes and a folder of its own. */
export async function runRound(request: RoundRequest): Promise<RoundResult> {
  const { workload } = request;
  const deadline = AbortSignal.timeout(RUN_TIMEOUT_MS);
  const signal = AbortSignal.any([request.signal, deadline]);
  const directory = await mkdtemp(join(tmpdir(), 'runwire-bench-'));
  const running: BenchProcess<unknown>[] = [];
  const onAbort = (): void => {
    for (const child of running) child.signal('SIGKILL');
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const frames: FrameShare[] = [];
  try {
    const outcome = await workload.run(roundOf({ ...request, signal }, { directory, running, frames }));
    return { outcome, frames };
  } catch (cause) {
    if (!deadline.aborted) throw cause;
    throw new Error(`given up after ${RUN_TIMEOUT_MS / 1_000} s`, { cause });
  } finally {
    signal.removeEventListener('abort', onAbort);
    await Promise.all(running.map((child) => child.end()));
    await rm(directory, { recursive: true, force: true });
  }
}

function roundOf(
  { workload, contestant, secret, profile, signal, ...request }: RoundRequest,
  own: {
    readonly directory: string;
    readonly running: BenchProcess<unknown>[];
    readonly frames: FrameShare[];
  },
): Round {
  const { directory, running, frames } = own;
  const users = request.users.slice(0, workload.users);
  const startClient: Round['startClient'] = () => {
    const client = startClientProcess();
    running.push(client);
    return client;
  };
  return {
    contestant,
    directory,
    signal,
    startClient,
    async start() {
      const server = startServerProcess();
      running.push(server);
      const client = startClient();
      const options = { users, secret, directory };
      return { server, client, ...(await server.caller.call('start', { contestant, options })) };
    },
    async measured(field, work) {
      if (profile === undefined) return await measure(field, work);
      const { caller } = field.server;
      await caller.call('startProfile', { kind: profile.kind });
      const time = await measure(field, work);
      // Of work that is repeated, the last.
      frames.splice(0, frames.length, ...(await caller.call('stopProfile', { file: profile.file })));
      return time;
    },
  };
}

async function measure({ server, client }: Field, work: () => Promise<void>): Promise<MeasuredTime> {
  const clientBefore = await client.caller.call('cpuMicros');
  const serverBefore = await server.caller.call('cpuMicros');
  const startedAtMs = performance.now();
  await work();
  const wallMs = performance.now() - startedAtMs;
  const serverCpuMicros = (await server.caller.call('cpuMicros')) - serverBefore;
  const clientCpuMicros = (await client.caller.call('cpuMicros')) - clientBefore;
  return { serverCpuMicros, clientCpuMicros, wallMs };
}

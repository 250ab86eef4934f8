import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ClientProcedures } from './client-process.js';
import { Caller } from './rpc.js';
import type { ServerProcedures } from './server-process.js';

/** A child process of the harness. */
export interface BenchProcess<P> {
  readonly caller: P;
  readonly pid: number;
  signal(signal: NodeJS.Signals): void;
  /** Ends it, in peace if it listens within a second. */
  end(): Promise<void>;
}

const STOP_MS = 5_000;

/** Starts a process for a contestant's server. */
export function startServerProcess(): BenchProcess<Caller<ServerProcedures>> {
  const child = start('server-process.js');
  const caller = new Caller<ServerProcedures>(child, 'the server process');
  return processOf(child, caller, () => caller.call('stop'));
}

/** Starts a process for a contestant's clients. */
export function startClientProcess(): BenchProcess<Caller<ClientProcedures>> {
  const child = start('client-process.js');
  const caller = new Caller<ClientProcedures>(child, 'the client process');
  return processOf(child, caller, () => caller.call('close'));
}

function start(file: string): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), {
    execArgv: ['--expose-gc'],
    // Ctrl+C is for the harness, which ends its processes itself.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

function processOf<P>(child: ChildProcess, caller: P, stop: () => Promise<unknown>): BenchProcess<P> {
  return {
    caller,
    pid: child.pid ?? -1,
    signal: (signal) => void child.kill(signal),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await stop().catch(() => undefined);
      if (child.connected) child.disconnect();
      await exited;
      clearTimeout(killer);
    },
  };
}

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { within } from './deadline.js';
import { countObjects, takenSnapshot } from './heap-snapshot.js';

/** A server in a process of its own, as `npm start` runs it. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly dataDirectory: string;
  readonly pid: number;
  /** From the start of the process to its being ready. */
  readonly readyMs: number;
  readonly isRunning: boolean;
  /** Settles when the process has ended: with the exit code, null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Everything it wrote to standard output and standard error. */
  output(): string;
  /** Collects garbage, then counts the live objects of each constructor: from outside, by V8 itself. */
  liveObjects(): Promise<ReadonlyMap<string, number>>;
  /** Sends a signal and does not wait: `SIGSTOP` freezes, `SIGCONT` thaws. */
  signal(signal: NodeJS.Signals): void;
  /** Sends a signal and settles with the exit code (null when a signal ended it). */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** How a server process ended that was not expected to stay. */
export interface FailedStart {
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly stdout: string;
}

/** What goes wrong inside a server, by `faults/crashing-server.mjs`; the agents of the tests are there too. */
export interface ServerFaults {
  /** Ends the process with SIGKILL at the n-th hit of a point, such as `append:after:17`. */
  readonly crash?: string;
  /** Writes of the log fail with `ENOSPC` as long as there is a file of this path. */
  readonly fullDiskFile?: string;
  /** Bytes of a segment of the log. @default the server's own */
  readonly maxSegmentBytes?: number;
  /** How long the server listens before it is ready. @default not at all */
  readonly readyDelayMs?: number;
}

const MAIN = fileURLToPath(new URL('../../apps/server/dist/main.js', import.meta.url));
const MAIN_WITH_FAULTS = fileURLToPath(new URL('../faults/crashing-server.mjs', import.meta.url));
const ORPHAN_GUARD = new URL('orphan-guard.mjs', import.meta.url).href;
const START_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 40_000;
const SNAPSHOT_DEADLINE_MS = 60_000;

/** Limits that one machine playing many users would run into. */
const ONE_MACHINE: Readonly<Record<string, string>> = {
  RUNWIRE_MAX_ATTEMPTS_PER_ADDRESS: '100000',
  RUNWIRE_MAX_REQUESTS_PER_MINUTE: '1000000',
  RUNWIRE_MAX_CONNECTIONS_PER_IP: '10000',
  RUNWIRE_MAX_UPGRADES_PER_IP_PER_SECOND: '10000',
  RUNWIRE_MAX_COMMANDS_PER_MINUTE: '10000',
  // Nobody else is there to take the clients over.
  RUNWIRE_DRAIN_WINDOW_MS: '200',
};

/** What a server process is started with. */
export interface ServerProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Kept over restarts by the caller. @default a fresh folder, removed at the end */
  readonly dataDirectory?: string;
  /** Starts the server with faults inside. @default the server as it is shipped */
  readonly faults?: ServerFaults;
  /** Flags of Node, such as `--expose-gc`. */
  readonly nodeFlags?: readonly string[];
}

/** Starts a server on a free port; settles when it says that it is ready. */
export async function startServerProcess(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const own = options.dataDirectory === undefined;
  const dataDirectory = options.dataDirectory ?? (await mkdtemp(join(tmpdir(), 'runwire-')));
  const begunAtMs = performance.now();
  const env = { RUNWIRE_DATA_DIR: dataDirectory, ...ONE_MACHINE, ...options.env };
  const child = spawnServer(env, options);
  const output = collect(child);
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const url = await within(
    START_DEADLINE_MS,
    'the server to be ready',
    readyUrl(child, output, exited),
  ).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  const readyMs = performance.now() - begunAtMs;
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    child.kill(signal);
    return await within(STOP_DEADLINE_MS, 'the server to stop', exited);
  };
  return {
    url,
    dataDirectory,
    pid: child.pid ?? -1,
    readyMs,
    get isRunning() {
      return isRunning();
    },
    exited,
    output,
    liveObjects: async () => {
      child.kill('SIGUSR2');
      return countObjects(
        await within(SNAPSHOT_DEADLINE_MS, 'the heap snapshot', takenSnapshot(dataDirectory)),
      );
    },
    signal: (signal) => void child.kill(signal),
    stop,
    async [Symbol.asyncDispose]() {
      // A frozen process hears no SIGTERM.
      child.kill('SIGCONT');
      if (isRunning()) await stop().catch(() => stop('SIGKILL'));
      if (own) await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

/** Starts a server that is expected to refuse, and settles with how. */
export async function failToStart(
  env: Readonly<Record<string, string>>,
  options: Pick<ServerProcessOptions, 'faults'> = {},
): Promise<FailedStart> {
  const child = spawnServer(env, options);
  let stderr = '';
  let stdout = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  const exitCode = await within(
    START_DEADLINE_MS,
    'the server to refuse',
    new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code))),
  ).finally(() => child.kill('SIGKILL'));
  return { exitCode, stderr, stdout };
}

function spawnServer(
  env: Readonly<Record<string, string>>,
  { faults, nodeFlags = [] }: ServerProcessOptions,
): ChildProcess {
  const cwd = env['RUNWIRE_DATA_DIR'];
  const main = faults === undefined ? MAIN : MAIN_WITH_FAULTS;
  const flags = ['--heapsnapshot-signal=SIGUSR2', '--import', ORPHAN_GUARD, ...nodeFlags];
  return spawn(process.execPath, [...flags, main], {
    // Heap snapshots are written to the working folder.
    ...(cwd !== undefined && existsSync(cwd) ? { cwd } : {}),
    env: {
      PATH: process.env['PATH'] ?? '',
      PORT: '0',
      LOG_LEVEL: 'warn',
      ...(faults === undefined ? {} : { TEST_FAULTS: JSON.stringify(faults) }),
      ...env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

function collect(child: ChildProcess): () => string {
  let text = '';
  const add = (chunk: Buffer): void => {
    text += chunk.toString();
  };
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  return () => text;
}

function readyUrl(
  child: ChildProcess,
  output: () => string,
  exited: Promise<number | null>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', () => {
      const url = /Runwire is ready: (\S+)/.exec(output())?.[1];
      if (url !== undefined) resolve(url);
    });
    void exited.then((code) =>
      reject(new Error(`The server ended with ${code} before it was ready:\n${output()}`)),
    );
  });
}

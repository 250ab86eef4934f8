import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openFileEventLog } from '@runwire/event-log-file';
import { createIdGenerator, type IdGenerator } from '@runwire/id-generation';
import { createSystemClock } from '@runwire/kernel';
import type { EventDraft } from '@runwire/protocol';
import { createStderrLogger } from '../contestants/runwire/logger.js';
import type { Round } from '../harness/round.js';
import { eventText } from '../harness/texts.js';
import type { Outcome, Workload } from './contract.js';

const EVENTS = 100_000;
const USERS = 100;
const RUNS_PER_USER = 10;
const READY_TIMEOUT_MS = 60_000;

/** A server that comes back to what it has stored: the reference server itself, as `npm start` runs it. */
export const h: Workload = {
  name: 'H',
  title: `restart: the reference server with ${EVENTS.toLocaleString('en')} events in its log`,
  columns: [
    { key: 'readyMs', title: 'ms from the start of the process to ready' },
    { key: 'emptyMs', title: 'with an empty log, ms' },
    { key: 'logMs', title: 'opening the log alone, ms' },
  ],
  goal: { key: 'readyMs', atMost: 1_000 },
  contestants: ['runwire'],
  isForThem: true,
  users: 0,
  run,
};

async function run({ directory, signal }: Round): Promise<Outcome> {
  const full = join(directory, 'full');
  const events = join(full, 'events');
  await mkdir(full);
  await fill(events);
  const logMs = await openingMs(events);
  const emptyMs = await readyMs(join(directory, 'empty'), signal);
  return { metrics: { readyMs: await readyMs(full, signal), emptyMs, logMs } };
}

async function fill(directory: string): Promise<void> {
  const clock = createSystemClock();
  const ids = createIdGenerator({ clock });
  await using log = await openFileEventLog({ clock, ids, logger: createStderrLogger() }, { directory });
  for (let user = 0; user < USERS; user += 1) {
    const userId = ids.userId();
    for (let run = 0; run < RUNS_PER_USER; run += 1) {
      await log.append(userId, draftsOfRun(ids, EVENTS / USERS / RUNS_PER_USER));
    }
  }
}

/** A whole run, so that a start finds nothing to repair. */
function draftsOfRun(ids: IdGenerator, events: number): readonly EventDraft[] {
  const threadId = ids.threadId();
  const scope = { threadId, runId: ids.runId(threadId) };
  const messageId = ids.messageId();
  const agent = 'benchmark';
  const delta = (_: unknown, part: number): EventDraft => ({
    type: 'agent_delta',
    ...scope,
    data: { messageId, part, kind: 'text', offset: 0, text: eventText(part, 0) },
  });
  return [
    { type: 'agent_started', ...scope, data: { agent, messageId, attempt: 1 } },
    ...Array.from({ length: events - 2 }, delta),
    { type: 'agent_completed', ...scope, data: { agent, messageId, status: 'completed', durationMs: 1 } },
  ];
}

async function openingMs(directory: string): Promise<number> {
  const clock = createSystemClock();
  const deps = { clock, ids: createIdGenerator({ clock }), logger: createStderrLogger() };
  await using log = await openFileEventLog(deps, { directory });
  return log.stats().openMs;
}

/** Starts the server, waits until it says that it is ready, and ends it. */
async function readyMs(dataDirectory: string, signal: AbortSignal): Promise<number> {
  const main = fileURLToPath(new URL('main.js', import.meta.resolve('@runwire/server')));
  const startedAtMs = performance.now();
  const server = spawn(process.execPath, [main], {
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      LOG_LEVEL: 'warn',
      RUNWIRE_DATA_DIR: dataDirectory,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
    timeout: READY_TIMEOUT_MS,
  });
  try {
    return await new Promise<number>((resolve, reject) => {
      let output = '';
      server.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('Runwire is ready')) resolve(performance.now() - startedAtMs);
      });
      server.on('error', reject);
      server.on('exit', (code) => reject(new Error(`The server ended with ${code} before it was ready.`)));
    });
  } finally {
    server.kill('SIGKILL');
  }
}

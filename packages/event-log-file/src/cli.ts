#!/usr/bin/env node
import { setTimeout as wait } from 'node:timers/promises';
import { createSystemClock } from '@runwire/kernel';
import { runCli } from './cli-command.js';
import { createReadOnlyDisk } from './inspect-disk.js';

const interrupted = new AbortController();
const { signal } = interrupted;
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
// Whoever reads this has seen enough: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  openDisk: createReadOnlyDisk,
  clock: createSystemClock(),
  // The clock's timers do not keep a process alive; this one is alive to wait.
  pause: (delayMs) => wait(delayMs, undefined, { signal }).catch(() => undefined),
  signal,
});

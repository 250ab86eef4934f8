#!/usr/bin/env node
import { describeVariables } from './config/environment.js';
import { ConfigError } from './config/errors.js';
import { StartupError } from './startup/phases.js';
import type { RunningServer } from './startup/server-process.js';
import { startServer } from './startup/start-server.js';

const HELP = `runwire-server: the Runwire reference server with its chat

Usage: runwire-server [--help]

Configured by environment variables (name, default):
${describeVariables()
  .map(({ name, fallback }) => `  ${name.padEnd(44)} ${fallback}`)
  .join('\n')}
`;

/** Exit code of a shutdown that was cut short by a second signal. */
const CUT_SHORT = 130;

async function main(): Promise<void> {
  if (process.argv.includes('--help') || process.argv.includes('-h')) {
    process.stdout.write(HELP);
    return;
  }
  const server = await startServer(process.env);
  process.stdout.write(`\n  Runwire is ready: ${server.url}\n  Press Ctrl+C to stop.\n\n`);
  stopOnSignal(server);
}

function stopOnSignal(server: RunningServer): void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(CUT_SHORT);
    stopping = true;
    process.stdout.write(`\n  ${signal}: stopping; runs under way may finish. Once more to stop at once.\n`);
    server.close().then(
      (clean) => process.exit(clean ? 0 : 1),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

/** What went wrong in one clear line each; a stack only for what nobody foresaw. */
function fail(error: unknown): void {
  if (error instanceof ConfigError || error instanceof StartupError) {
    for (const line of error.message.split('\n')) process.stderr.write(`runwire-server: ${line}\n`);
  } else {
    process.stderr.write(
      `runwire-server: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  }
  process.exit(1);
}

main().catch(fail);

#!/usr/bin/env node
import { type Command, helpText, parseCommandLine } from './command/command-line.js';
import { guardCommand } from './command/guard.js';
import { print } from './command/output.js';
import { profileCommand } from './command/profile.js';
import { runCommand } from './command/run.js';
import { tablesCommand } from './command/tables.js';
import { CONTESTANTS } from './contestants/catalog.js';
import { WORKLOADS } from './workloads/catalog.js';

const known = { workloads: WORKLOADS.map(({ name }) => name), contestants: Object.keys(CONTESTANTS) };
const interrupt = new AbortController();
// A second signal ends the process at once; the processes it has started end with it.
process.once('SIGINT', () => interrupt.abort());

process.exitCode = await carryOut(parseCommandLine(process.argv.slice(2), known), interrupt.signal);

async function carryOut(command: Command, signal: AbortSignal): Promise<number> {
  switch (command.kind) {
    case 'help':
      if (command.problem === undefined) print(helpText(known));
      else process.stderr.write(`${command.problem}\nSee --help.\n`);
      return command.problem === undefined ? 0 : 2;
    case 'run':
      return await runCommand(command, signal);
    case 'profile':
      return await profileCommand(command, signal);
    case 'guard':
      return await guardCommand(command, signal);
    case 'tables':
      return await tablesCommand(command);
  }
}

import { register } from 'node:module';
import { MUTANTS } from './mutants.js';
import { HELP, parseCommandLine } from './src/command/command-line.js';

// Nothing of the simulation is loaded before this: a mutant is put in its place when it is.
const command = parseCommandLine(process.argv.slice(2));
if (command.kind === 'help') {
  process.stdout.write(`${command.problem === undefined ? '' : `${command.problem}\n\n`}${HELP}`);
  process.exitCode = command.problem === undefined ? 0 : 2;
} else {
  if (command.mutant !== undefined) {
    const mutant = MUTANTS.find(({ name }) => name === command.mutant);
    if (mutant === undefined) throw new RangeError(`There is no mutant ${command.mutant}.`);
    register('./mutant-hooks.mjs', { parentURL: new URL('../', import.meta.url), data: mutant });
  }
  const { execute } = await import('./src/command/execute.js');
  process.exitCode = await execute(command);
}

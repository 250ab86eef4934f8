import { publishTables } from '../report/publish.js';
import { readResults } from '../report/results-file.js';
import { print } from './output.js';

/** Writes the tables of an earlier run into the READMEs; settles to the exit code. */
export async function tablesCommand({ file }: { readonly file: string }): Promise<number> {
  try {
    for (const part of await publishTables(await readResults(file))) print(`Written: ${part}`);
    return 0;
  } catch (cause) {
    process.stderr.write(`${file}: ${cause instanceof Error ? cause.message : String(cause)}\n`);
    return 1;
  }
}

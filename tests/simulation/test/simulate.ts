import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../dist/simulate.js', import.meta.url));

/** What the program came to. */
export interface Simulated {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the built program, in a process of its own as at night. */
export async function simulate(...args: string[]): Promise<Simulated> {
  if (!existsSync(PROGRAM))
    throw new Error('Build it first: npx turbo run build --filter=@runwire/simulation');
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  return { code, output };
}

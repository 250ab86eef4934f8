import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Machine } from '../harness/machine.js';
import type { Sample } from './sample.js';

/** What a file of results begins with. */
export interface ResultsHead {
  readonly startedAt: string;
  readonly rounds: number;
  readonly machine: Machine;
  /** What was left out, and why. */
  readonly notices: readonly string[];
}

/** How a run ended. */
export type ResultsEnd = 'complete' | 'interrupted';

/** A run, read back. One that says nothing of its end was cut off. */
export interface Results {
  readonly head: ResultsHead;
  readonly samples: readonly Sample[];
  readonly end: ResultsEnd;
}

/** Writes a run as it goes, a line of JSON each: what is there stays, however the run ends. */
export interface ResultsWriter {
  add(sample: Sample): void;
  /** Settles when everything is written. */
  close(end: ResultsEnd): Promise<void>;
}

/** Begins a file of results. */
export async function writeResults(file: string, head: ResultsHead): Promise<ResultsWriter> {
  await mkdir(dirname(file), { recursive: true });
  const stream = createWriteStream(file);
  const write = (line: object): void => void stream.write(`${JSON.stringify(line)}\n`);
  write({ head });
  return {
    add: (sample) => write({ sample }),
    close: (end) =>
      new Promise((resolve, reject) => {
        stream.on('error', reject);
        stream.end(`${JSON.stringify({ end })}\n`, () => resolve());
      }),
  };
}

type Line = { readonly head: ResultsHead } | { readonly sample: Sample } | { readonly end: ResultsEnd };

/** @throws Error when the file is no file of results */
export async function readResults(file: string): Promise<Results> {
  const text = await readFile(file, 'utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  return parseResults(lines.map((line): Line => JSON.parse(line)));
}

/** @throws Error when the lines have no head */
export function parseResults(lines: readonly Line[]): Results {
  let head: ResultsHead | undefined;
  let end: ResultsEnd = 'interrupted';
  const samples: Sample[] = [];
  for (const line of lines) {
    if ('head' in line) head = line.head;
    else if ('sample' in line) samples.push(line.sample);
    else end = line.end;
  }
  if (head === undefined)
    throw new Error('These are no results: the first line says nothing of the machine.');
  return { head, samples, end };
}

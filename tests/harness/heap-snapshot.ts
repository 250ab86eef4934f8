import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from './deadline.js';

/** What is read of a V8 heap snapshot. */
interface HeapSnapshot {
  readonly snapshot: {
    readonly meta: { readonly node_fields: readonly string[]; readonly node_types: readonly unknown[] };
  };
  readonly nodes: readonly number[];
  readonly strings: readonly string[];
}

const POLL_MS = 50;

/** The snapshot that a process writes into `directory`, once it is whole. */
export async function takenSnapshot(directory: string): Promise<HeapSnapshot> {
  for (;;) {
    await pause(POLL_MS);
    const name = (await readdir(directory)).find((file) => file.endsWith('.heapsnapshot'));
    if (name === undefined) continue;
    const whole = await readFile(join(directory, name), 'utf8').then(parseWhole);
    if (whole === undefined) continue;
    await rm(join(directory, name));
    return whole;
  }
}

function parseWhole(text: string): HeapSnapshot | undefined {
  if (!text.trimEnd().endsWith('}')) return undefined;
  try {
    return JSON.parse(text) as HeapSnapshot;
  } catch {
    // Still being written.
    return undefined;
  }
}

/** The number of live objects by constructor. */
export function countObjects({ snapshot, nodes, strings }: HeapSnapshot): ReadonlyMap<string, number> {
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const [typeAt, nameAt] = [fields.indexOf('type'), fields.indexOf('name')];
  const object = (types[typeAt] as readonly string[]).indexOf('object');
  const counts = new Map<string, number>();
  for (let at = 0; at < nodes.length; at += fields.length) {
    if (nodes[at + typeAt] !== object) continue;
    const name = strings[nodes[at + nameAt] ?? 0] ?? '';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

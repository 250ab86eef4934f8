import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parseId } from '../src/index.js';
import { compileForWorker } from './compiled-sources.js';
import type { MadeIds } from './million-ids.worker.js';

const WORKERS = 8;
const IDS_EACH = 125_000;

describe('eight workers', () => {
  const compiled = compileForWorker('million-ids.worker.ts');
  afterAll(() => compiled[Symbol.dispose]());

  it('[ID-4] make 1,000,000 ids without a duplicate, and to the millisecond in lexical order', async () => {
    const all = await Promise.all(Array.from({ length: WORKERS }, () => make(compiled.path)));
    const createdAtMs = new Map<string, number>();
    for (const { text, atMs } of all) {
      for (const [index, id] of text.split('\n').entries()) createdAtMs.set(id, atMs[index] ?? Number.NaN);
    }
    expect(createdAtMs.size).toBe(1_000_000);

    let lastMs = 0;
    let disorder = 0;
    for (const id of [...createdAtMs.keys()].sort()) {
      const atMs = createdAtMs.get(id) ?? Number.NaN;
      if (!(atMs >= lastMs)) disorder += 1;
      lastMs = atMs;
    }
    expect(disorder).toBe(0);

    // The workers overlapped, or the order would prove nothing about several generators.
    const spans = all.map(({ atMs }) => [atMs[0] ?? 0, atMs[IDS_EACH - 1] ?? 0] as const);
    const overlapping = spans.filter(([from]) => spans.some(([start, end]) => start < from && from < end));
    expect(overlapping.length).toBeGreaterThan(0);
    expect(parseId(all[0]?.text.slice(0, 26)).createdAtMs).toBe(all[0]?.atMs[0]);
  }, 30_000);
});

async function make(path: string): Promise<MadeIds> {
  const worker = new Worker(path, { workerData: IDS_EACH });
  const [made] = (await once(worker, 'message')) as [MadeIds];
  await worker.terminate();
  return made;
}

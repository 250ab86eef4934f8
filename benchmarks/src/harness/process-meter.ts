import { setTimeout as sleep } from 'node:timers/promises';

/** Memory of a process, in bytes. */
export interface MemorySample {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

/** Processor time of this process so far, user and system, all threads, in microseconds. */
export function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Memory now. With `settle`, after the garbage collector has had every chance (`--expose-gc`). */
export async function sampleMemory({ settle }: { readonly settle: boolean }): Promise<MemorySample> {
  if (settle) {
    // Finalizers of buffers run between collections.
    for (let pass = 0; pass < 4; pass += 1) {
      globalThis.gc?.();
      await sleep(50);
    }
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heapUsed, external };
}

/** What JavaScript holds, in its heap and outside. */
export function usedBytes({ heapUsed, external }: MemorySample): number {
  return heapUsed + external;
}

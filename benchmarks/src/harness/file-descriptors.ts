import { readFile } from 'node:fs/promises';

/** How many files and sockets one process may have open; undefined where the system does not say. */
export async function maxFileDescriptors(): Promise<number | undefined> {
  try {
    return parseMaxOpenFiles(await readFile('/proc/self/limits', 'utf8'));
  } catch {
    return undefined;
  }
}

/** The soft limit in the text of `/proc/<pid>/limits`; undefined without one. */
export function parseMaxOpenFiles(limits: string): number | undefined {
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  if (soft === undefined || soft === 'unlimited') return undefined;
  return Number(soft);
}

import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { LogDisk, LogFile } from './disk.js';
import { codeOf, FileLogError } from './errors.js';
import { type FoundLog, findSegments } from './open-segments.js';
import { segmentNumber } from './segment-format.js';

/** A folder of the machine that is only looked at: nothing is made, locked or written, files are opened for reading. */
export function createReadOnlyDisk(directory: string): LogDisk {
  return new ReadOnlyDisk(directory);
}

class ReadOnlyDisk implements LogDisk {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  list(): readonly string[] {
    try {
      return readdirSync(this.#directory);
    } catch (cause) {
      throw unreadable(this.#directory, cause);
    }
  }

  open(name: string): LogFile {
    return new ReadOnlyFile(openSync(join(this.#directory, name), 'r'));
  }

  create(): never {
    throw refused();
  }

  rename(): never {
    throw refused();
  }

  remove(): never {
    throw refused();
  }

  async syncDirectory(): Promise<never> {
    throw refused();
  }

  async lock(): Promise<never> {
    throw refused();
  }
}

class ReadOnlyFile implements LogFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  size(): number {
    return fstatSync(this.#fd).size;
  }

  read(target: Uint8Array, position: number): number {
    let total = 0;
    while (total < target.length) {
      const read = readSync(this.#fd, target, total, target.length - total, position + total);
      if (read === 0) break;
      total += read;
    }
    return total;
  }

  write(): never {
    throw refused();
  }

  async writeLater(): Promise<never> {
    throw refused();
  }

  truncate(): never {
    throw refused();
  }

  async sync(): Promise<never> {
    throw refused();
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function refused(): Error {
  return Object.assign(new Error('EROFS: the folder is only looked at'), { code: 'EROFS' });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'is not a folder',
  EACCES: 'cannot be read by this user',
  EPERM: 'cannot be read by this user',
};

function unreadable(path: string, cause: unknown): FileLogError {
  const code = codeOf(cause);
  return new FileLogError('LOG_FOLDER_UNUSABLE', `${path} ${REASONS[code] ?? 'cannot be read'} (${code}).`, {
    cause,
    details: { path, code },
  });
}

/** A writer begins, merges and removes files while they are opened, but rarely; each time all are opened again. */
const MAX_TRIES = 10;

/**
 * Opens the segments as they stand together at one moment, even while a writer has the folder: the files are
 * opened from the oldest to the newest, and no file came or went meanwhile.
 *
 * @throws FileLogError `LOG_FOLDER_UNUSABLE` when there is no log; what `findSegments` throws
 */
export function openSnapshot(disk: Pick<LogDisk, 'list' | 'open'>, path: string): FoundLog {
  for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
    const before = segmentNames(disk);
    const found = tryFind(disk, path);
    if (found === undefined) continue;
    if (segmentNames(disk) !== before) {
      closeSnapshot(found);
      continue;
    }
    if (found.segments.length > 0 || found.leftovers.length > 0) return found;
    throw notALog(path, 'has no event log in it: there are no segment files (0000000001.log …)');
  }
  throw notALog(path, 'changes faster than it can be read: try again');
}

/** Closes the files of a snapshot. */
export function closeSnapshot({ segments }: FoundLog): void {
  for (const { file } of segments) file.close();
}

function segmentNames(disk: Pick<LogDisk, 'list'>): string {
  const names = disk.list().filter((name) => segmentNumber(name) !== undefined);
  return names.sort().join();
}

/** Undefined when a file was gone before it could be opened. */
function tryFind(disk: Pick<LogDisk, 'list' | 'open'>, path: string): FoundLog | undefined {
  try {
    return findSegments(disk);
  } catch (cause) {
    if (cause instanceof FileLogError) throw cause;
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw unreadable(`A segment in ${path}`, cause);
  }
}

function notALog(path: string, reason: string): FileLogError {
  return new FileLogError('LOG_FOLDER_UNUSABLE', `${path} ${reason}.`, { details: { path } });
}

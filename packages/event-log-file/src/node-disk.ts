import {
  accessSync,
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { lockDirectory } from './directory-lock.js';
import type { LogDisk, LogFile } from './disk.js';
import { codeOf, folderUnusable } from './errors.js';

/**
 * The machine's own file system: one folder, made when there is none.
 *
 * @throws FileLogError `LOG_FOLDER_UNUSABLE` when it is no folder, or may not be read and written
 */
export function createNodeDisk(directory: string): LogDisk {
  requireUsable(directory);
  return new NodeDisk(directory);
}

function requireUsable(directory: string): void {
  try {
    const made = mkdirSync(directory, { recursive: true });
    if (made !== undefined) syncParents(directory, made);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    readdirSync(directory);
  } catch (cause) {
    throw folderUnusable(directory, cause);
  }
}

/** So that a folder just made is there after a power loss. `made` is the first that was. */
function syncParents(directory: string, made: string): void {
  if (process.platform === 'win32') return;
  const last = dirname(resolve(made));
  for (let folder = resolve(directory); folder !== last; ) {
    folder = dirname(folder);
    syncNow(folder);
  }
}

function syncNow(folder: string): void {
  let fd: number | undefined;
  try {
    fd = openSync(folder, 'r');
    fsyncSync(fd);
  } catch (cause) {
    if (!CANNOT_SYNC.has(codeOf(cause))) throw cause;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** What file systems say that keep folders in their own way. */
const CANNOT_SYNC: ReadonlySet<string> = new Set(['EINVAL', 'ENOTSUP', 'EPERM', 'EACCES', 'EISDIR']);

class NodeDisk implements LogDisk {
  readonly #directory: string;

  constructor(directory: string) {
    // Wherever the process goes meanwhile.
    this.#directory = resolve(directory);
  }

  list(): readonly string[] {
    return readdirSync(this.#directory);
  }

  open(name: string): LogFile {
    try {
      return new NodeFile(openSync(join(this.#directory, name), 'r+'));
    } catch (cause) {
      throw folderUnusable(join(this.#directory, name), cause);
    }
  }

  create(name: string): LogFile {
    return new NodeFile(openSync(join(this.#directory, name), 'wx+', 0o600));
  }

  rename(from: string, to: string): void {
    renameSync(join(this.#directory, from), join(this.#directory, to));
  }

  remove(name: string): void {
    unlinkSync(join(this.#directory, name));
  }

  async syncDirectory(): Promise<void> {
    // Windows cannot sync a folder, and needs not.
    if (process.platform === 'win32') return;
    const fd = openSync(this.#directory, 'r');
    try {
      await settled((done) => fsync(fd, done));
    } catch (cause) {
      if (!CANNOT_SYNC.has(codeOf(cause))) throw cause;
    } finally {
      closeSync(fd);
    }
  }

  lock(): Promise<() => Promise<void>> {
    return lockDirectory(this.#directory);
  }
}

class NodeFile implements LogFile {
  readonly #fd: number;
  /** Operations in the thread pool; the descriptor is not given back under them. */
  #pending = 0;
  #isClosed = false;

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

  write(bytes: Uint8Array, position: number): void {
    // A full disk may take a part first, and says what is wrong with the next call.
    for (let total = 0; total < bytes.length; ) {
      total += progress(writeSync(this.#fd, bytes, total, bytes.length - total, position + total));
    }
  }

  async writeLater(bytes: Uint8Array, position: number): Promise<void> {
    for (let total = 0; total < bytes.length; ) {
      const written = await this.#later<number>((done) =>
        write(this.#fd, bytes, total, bytes.length - total, position + total, done),
      );
      total += progress(written);
    }
  }

  truncate(size: number): void {
    ftruncateSync(this.#fd, size);
  }

  async sync(): Promise<void> {
    await this.#later<void>((done) => fdatasync(this.#fd, done));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#pending === 0) closeSync(this.#fd);
  }

  async #later<T>(start: (done: (error: Error | null, value?: T) => void) => void): Promise<T | undefined> {
    this.#pending += 1;
    try {
      return await settled(start);
    } finally {
      this.#pending -= 1;
      if (this.#isClosed && this.#pending === 0) closeSync(this.#fd);
    }
  }
}

/** A disk that takes nothing and says nothing is not asked for ever. */
function progress(written: number | undefined): number {
  if (written === undefined || written <= 0) {
    throw Object.assign(new Error('EIO: nothing was written'), { code: 'EIO' });
  }
  return written;
}

function settled<T>(start: (done: (error: Error | null, value?: T) => void) => void): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error === null || error === undefined) resolve(value);
      else reject(error);
    });
  });
}

import type { LogFile } from '../disk.js';
import type { DiskOperation } from './memory-disk.js';

/** A file of a disk in memory, whoever has it open. */
export interface StoredFile {
  bytes: Uint8Array;
  length: number;
  /** What a power loss leaves. */
  syncedLength: number;
  /** A sync of what stands from here on has failed, and no later one makes that good. */
  doubtfulFrom: number;
}

/** A file with nothing in it. */
export function storedFile(): StoredFile {
  return { bytes: new Uint8Array(1_024), length: 0, syncedLength: 0, doubtfulFrom: Number.POSITIVE_INFINITY };
}

/** What a file asks of the disk it is on. */
export interface FileHost {
  /** @throws what the operation is to fail with */
  ask(kind: DiskOperation['kind'], bytes?: number): void;
  wait(): Promise<void>;
  /** How much more fits on the disk. */
  freeBytes(): number;
}

/** One open file of a disk in memory. Like a real one it is of no use when it was closed. */
export class MemoryFile implements LogFile {
  readonly #stored: StoredFile;
  readonly #host: FileHost;
  #isClosed = false;

  constructor(stored: StoredFile, host: FileHost) {
    this.#stored = stored;
    this.#host = host;
  }

  size(): number {
    return this.#open().length;
  }

  read(target: Uint8Array, position: number): number {
    const { bytes, length } = this.#open();
    this.#host.ask('read');
    const found = bytes.subarray(position, Math.min(length, position + target.length));
    target.set(found);
    return found.length;
  }

  write(bytes: Uint8Array, position: number): void {
    const stored = this.#open();
    this.#host.ask('write', bytes.length);
    const growth = Math.max(0, position + bytes.length - stored.length);
    const missing = Math.max(0, growth - Math.max(0, this.#host.freeBytes()));
    put(stored, bytes.subarray(0, Math.max(0, bytes.length - missing)), position);
    if (missing > 0) throw Object.assign(new Error('ENOSPC: the disk is full'), { code: 'ENOSPC' });
  }

  async writeLater(bytes: Uint8Array, position: number): Promise<void> {
    await this.#host.wait();
    this.write(bytes, position);
  }

  truncate(size: number): void {
    const stored = this.#open();
    this.#host.ask('truncate');
    stored.length = size;
    stored.syncedLength = Math.min(stored.syncedLength, size);
    if (size <= stored.doubtfulFrom) stored.doubtfulFrom = Number.POSITIVE_INFINITY;
  }

  async sync(): Promise<void> {
    const stored = this.#open();
    const { length } = stored;
    await this.#host.wait();
    try {
      this.#host.ask('sync');
    } catch (error) {
      // The system takes the pages for written from now on.
      stored.doubtfulFrom = Math.min(stored.doubtfulFrom, stored.syncedLength);
      throw error;
    }
    const written = Math.min(length, stored.length, stored.doubtfulFrom);
    stored.syncedLength = Math.max(stored.syncedLength, written);
  }

  close(): void {
    this.#isClosed = true;
  }

  #open(): StoredFile {
    if (this.#isClosed) throw Object.assign(new Error('EBADF: the file is closed'), { code: 'EBADF' });
    return this.#stored;
  }
}

function put(file: StoredFile, bytes: Uint8Array, position: number): void {
  const end = position + bytes.length;
  if (end > file.bytes.length) {
    const larger = new Uint8Array(Math.max(end, file.bytes.length * 2));
    larger.set(file.bytes.subarray(0, file.length));
    file.bytes = larger;
  }
  file.bytes.set(bytes, position);
  file.length = Math.max(file.length, end);
}

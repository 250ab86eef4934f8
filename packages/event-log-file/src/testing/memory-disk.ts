import type { LogDisk } from '../disk.js';
import { FileLogError } from '../errors.js';
import { MemoryFile, type StoredFile, storedFile } from './memory-file.js';

/** What a disk is asked to do, as a test sees it before it happens. */
export interface DiskOperation {
  readonly kind: 'create' | 'write' | 'read' | 'truncate' | 'sync' | 'rename' | 'remove' | 'syncDirectory';
  /** Its name; empty for the folder. */
  readonly file: string;
  /** Of writes. */
  readonly bytes: number;
}

/** What a power loss leaves of what was not synced. */
export interface PowerLoss {
  /** Of each file, behind what was synced. @defaultValue 0 */
  readonly keptBytes?: number;
  /** Whether files made, renamed and removed since the folder was synced are so. @defaultValue true */
  readonly keepsFolder?: boolean;
}

/** A disk in memory that a test makes fail, lose power, or wait. What a sync has failed for, no later one makes good. */
export interface MemoryDisk extends LogDisk {
  /** Called before each operation. What it throws is what the operation fails with. */
  onOperation: ((operation: DiskOperation) => void) | undefined;
  /** Bytes that fit; more is `ENOSPC` after as many as did fit. */
  capacityBytes: number;
  /** Awaited by `sync`, `syncDirectory` and `writeLater`. */
  delay: (() => Promise<void>) | undefined;
  /** The bytes of a file, to look at. */
  contents(name: string): Uint8Array;
  /** Makes a file, or makes one be this, durably and for whoever has it open too. */
  setContents(name: string, bytes: Uint8Array): void;
  /**
   * The disk as the next process finds it, while this one goes on without anybody looking. `process`: the
   * process died, what was written is there, and what of it was not synced may still be lost. `power`: the
   * machine did, and what was not synced is there as far as `loss` says; a number is `keptBytes`. What is there
   * then is so for good.
   */
  afterCrash(kind: 'process' | 'power', loss?: number | PowerLoss): MemoryDisk;
}

/** Creates an empty disk. */
export function createMemoryDisk(): MemoryDisk {
  return new Disk(new Map(), new Map());
}

/** An error as the system gives it. */
export function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: the disk refused`), { code });
}

class Disk implements MemoryDisk {
  onOperation: ((operation: DiskOperation) => void) | undefined;
  capacityBytes = Number.POSITIVE_INFINITY;
  delay: (() => Promise<void>) | undefined;
  readonly #files: Map<string, StoredFile>;
  /** The folder as it was last synced. */
  #syncedFiles: ReadonlyMap<string, StoredFile>;
  #isLocked = false;

  constructor(files: Map<string, StoredFile>, syncedFiles: ReadonlyMap<string, StoredFile>) {
    this.#files = files;
    this.#syncedFiles = syncedFiles;
  }

  list(): readonly string[] {
    return [...this.#files.keys()];
  }

  open(name: string): MemoryFile {
    return this.#fileOf(name);
  }

  create(name: string): MemoryFile {
    this.#ask('create', name);
    if (this.#files.has(name)) throw diskError('EEXIST');
    this.#files.set(name, storedFile());
    return this.#fileOf(name);
  }

  rename(from: string, to: string): void {
    this.#ask('rename', from);
    const file = this.#stored(from);
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  remove(name: string): void {
    this.#ask('remove', name);
    this.#stored(name);
    this.#files.delete(name);
  }

  async syncDirectory(): Promise<void> {
    const files = new Map(this.#files);
    await this.delay?.();
    this.#ask('syncDirectory', '');
    this.#syncedFiles = files;
  }

  async lock(): Promise<() => Promise<void>> {
    if (this.#isLocked) throw new FileLogError('LOG_IN_USE', 'The disk is in use by another log.');
    this.#isLocked = true;
    return async () => {
      this.#isLocked = false;
    };
  }

  contents(name: string): Uint8Array {
    const { bytes, length } = this.#stored(name);
    return bytes.slice(0, length);
  }

  setContents(name: string, bytes: Uint8Array): void {
    // Whoever has the file open sees it changed.
    const file = this.#files.get(name) ?? storedFile();
    this.#files.set(
      name,
      Object.assign(file, {
        ...storedFile(),
        bytes: bytes.slice(),
        length: bytes.length,
        syncedLength: bytes.length,
      }),
    );
    this.#syncedFiles = new Map(this.#files);
  }

  afterCrash(kind: 'process' | 'power', loss: number | PowerLoss = {}): MemoryDisk {
    const { keptBytes = 0, keepsFolder = true } = typeof loss === 'number' ? { keptBytes: loss } : loss;
    if (kind === 'process') {
      // A process that dies in a sync is no sync that failed.
      const doubtfulFrom = Number.POSITIVE_INFINITY;
      return this.#copy(this.#files, this.#syncedFiles, (file) => ({ ...file, doubtfulFrom }));
    }
    const left = keepsFolder ? this.#files : this.#syncedFiles;
    return this.#copy(left, left, ({ bytes, length, syncedLength }) => {
      // What a machine finds when it has power again is on the hardware.
      const kept = Math.min(length, syncedLength + keptBytes);
      return { ...storedFile(), bytes, length: kept, syncedLength: kept };
    });
  }

  #copy(
    files: ReadonlyMap<string, StoredFile>,
    syncedFiles: ReadonlyMap<string, StoredFile>,
    left: (file: StoredFile) => StoredFile,
  ): MemoryDisk {
    const copies = new Map<StoredFile, StoredFile>();
    for (const file of [...files.values(), ...syncedFiles.values()]) {
      const copy = left(file);
      copies.set(file, { ...copy, bytes: copy.bytes.slice(0, copy.length) });
    }
    const copyOf = ([name, file]: [string, StoredFile]): [string, StoredFile] => [
      name,
      copies.get(file) ?? file,
    ];
    const next = new Disk(new Map(Array.from(files, copyOf)), new Map(Array.from(syncedFiles, copyOf)));
    next.capacityBytes = this.capacityBytes;
    return next;
  }

  #stored(name: string): StoredFile {
    const file = this.#files.get(name);
    if (file === undefined) throw diskError('ENOENT');
    return file;
  }

  #ask(kind: DiskOperation['kind'], file: string, bytes = 0): void {
    this.onOperation?.({ kind, file, bytes });
  }

  #fileOf(name: string): MemoryFile {
    return new MemoryFile(this.#stored(name), {
      ask: (kind, bytes) => this.#ask(kind, name, bytes),
      wait: async () => await this.delay?.(),
      freeBytes: () => this.#freeBytes(),
    });
  }

  #freeBytes(): number {
    let used = 0;
    for (const { length } of this.#files.values()) used += length;
    return this.capacityBytes - used;
  }
}

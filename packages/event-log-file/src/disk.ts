/**
 * What the log needs of a disk: one folder of flat files. The only file of the machine's that opens files is
 * `node-disk.ts`; tests and simulators pass a disk of their own and own every write, failure and crash.
 *
 * Everything synchronous here is a single system call on pages that the kernel holds; what waits for the
 * hardware (`sync`, `writeLater`) is asynchronous.
 */
export interface LogDisk {
  /** Names of the files in the folder. */
  list(): readonly string[];
  /** Opens an existing file for reading and writing. */
  open(name: string): LogFile;
  /** Creates a file for reading and writing; fails when there is one of that name. */
  create(name: string): LogFile;
  /** Puts the file `from` in the place of `to`, at once or not at all. */
  rename(from: string, to: string): void;
  remove(name: string): void;
  /** Makes creations, renames and removals survive a power loss. */
  syncDirectory(): Promise<void>;
  /**
   * Takes the folder for this process; settles to what gives it back. The hold ends with the process, however
   * that ends.
   *
   * @throws FileLogError `LOG_IN_USE` when another process has it
   */
  lock(): Promise<() => Promise<void>>;
}

/** One open file. Errors carry the `code` of the system: `ENOSPC`, `EIO` … */
export interface LogFile {
  /** Bytes in the file. */
  size(): number;
  /** Fills `target` from `position`; returns how many bytes there were, fewer only at the end of the file. */
  read(target: Uint8Array, position: number): number;
  /** Writes all of `bytes` at `position`, in one system call where the system allows. */
  write(bytes: Uint8Array, position: number): void;
  /** As `write`, in the thread pool. */
  writeLater(bytes: Uint8Array, position: number): Promise<void>;
  /** Cuts the file to `size` bytes. */
  truncate(size: number): void;
  /** Settles when what was written survives a power loss. */
  sync(): Promise<void>;
  close(): void;
}

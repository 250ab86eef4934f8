import type { LogDisk, LogFile } from '@runwire/event-log-file';

/** A switch between a disk and its log. */
export interface FailingDisk {
  /** The code that writes and syncs fail with; undefined while the disk works. */
  failing: string | undefined;
  readonly decorate: (disk: LogDisk) => LogDisk;
}

/** Creates a disk that works until it is told not to. */
export function createFailingDisk(): FailingDisk {
  const switched: FailingDisk = { failing: undefined, decorate: (disk) => failingDisk(disk, refuse) };
  const refuse = (): void => {
    const code = switched.failing;
    if (code !== undefined) throw Object.assign(new Error(`${code}: the disk refused`), { code });
  };
  return switched;
}

function failingDisk(disk: LogDisk, refuse: () => void): LogDisk {
  return {
    list: () => disk.list(),
    open: (name) => failingFile(disk.open(name), refuse),
    create: (name) => {
      refuse();
      return failingFile(disk.create(name), refuse);
    },
    rename: (from, to) => disk.rename(from, to),
    remove: (name) => disk.remove(name),
    syncDirectory: () => disk.syncDirectory(),
    lock: () => disk.lock(),
  };
}

function failingFile(file: LogFile, refuse: () => void): LogFile {
  return {
    size: () => file.size(),
    read: (target, position) => file.read(target, position),
    write: (bytes, position) => {
      refuse();
      file.write(bytes, position);
    },
    writeLater: async (bytes, position) => {
      refuse();
      await file.writeLater(bytes, position);
    },
    truncate: (size) => file.truncate(size),
    sync: async () => {
      refuse();
      await file.sync();
    },
    close: () => file.close(),
  };
}

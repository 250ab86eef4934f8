// @ts-check
// A disk that is full as long as a file says so.
import { existsSync } from 'node:fs';
import { override } from './crash-points.mjs';

/**
 * @param {import('@runwire/event-log-file').LogDisk} disk
 * @param {string} flagFile while it is there, nothing can be written
 * @returns {import('@runwire/event-log-file').LogDisk}
 */
export function fullDisk(disk, flagFile) {
  const refuse = () => {
    if (!existsSync(flagFile)) return;
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  /** @param {import('@runwire/event-log-file').LogFile} file */
  const full = (file) =>
    override(file, {
      write: (bytes, position) => {
        refuse();
        file.write(bytes, position);
      },
      writeLater: async (bytes, position) => {
        refuse();
        await file.writeLater(bytes, position);
      },
    });
  return override(disk, {
    open: (name) => full(disk.open(name)),
    create: (name) => {
      refuse();
      return full(disk.create(name));
    },
  });
}

import { diskError, type MemoryDisk } from '../../src/testing/index.js';

/** When a process dies. */
export interface Death {
  /** At which operation that changes the disk, from 1 on. */
  readonly operation: number;
  /** How much of it still happens: of a write so much of its bytes, of others all or nothing. */
  readonly share: number;
}

/** A process that may die. */
export interface Mortal {
  /** That changed the disk, so far. */
  readonly operations: number;
  readonly isDead: boolean;
}

/** Lets the process that has the disk die in the middle of an operation. */
export function letDie(disk: MemoryDisk, death: Death | undefined): Mortal {
  const mortal = { operations: 0, isDead: false };
  disk.onOperation = ({ kind, bytes }) => {
    if (mortal.isDead) throw diskError('DEAD');
    if (kind === 'read') return;
    mortal.operations += 1;
    if (mortal.operations !== death?.operation) return;
    mortal.isDead = true;
    if (kind === 'write') disk.capacityBytes = usedBytes(disk) + Math.floor(bytes * death.share);
    else if (death.share < 0.5) throw diskError('DEAD');
  };
  return mortal;
}

/** Bytes of all files. */
export function usedBytes(disk: MemoryDisk): number {
  return disk.list().reduce((sum, name) => sum + disk.contents(name).length, 0);
}

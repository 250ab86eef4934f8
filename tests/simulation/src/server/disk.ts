import {
  createMemoryDisk,
  type DiskOperation,
  diskError,
  type MemoryDisk,
} from '@runwire/event-log-file/testing';
import type { Prng } from '../prng.js';
import type { Actor, Scheduler } from '../scheduler.js';

/** What a disk does instead of what it is asked. */
export type DiskFault =
  | { readonly kind: 'none' }
  /** Takes so many bytes more, and then no others. */
  | { readonly kind: 'full'; readonly roomBytes: number }
  /** Each operation of that kind fails, as often as `probability` says. */
  | { readonly kind: 'failing'; readonly operation: DiskOperation['kind']; readonly probability: number }
  /** Each operation takes so long, and a write keeps its process waiting. */
  | { readonly kind: 'slow'; readonly ms: number };

/** What a disk is made of. */
export interface DiskDeps {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
}

/** When nothing is wrong, an operation in the thread pool takes at most this long. */
const USUAL_MS = 3;

/** The machine's disk: it outlives every process, and keeps what it kept. */
export class SimulatedDisk {
  readonly #deps: DiskDeps;
  #disk: MemoryDisk = createMemoryDisk();
  #fault: DiskFault = { kind: 'none' };

  constructor(deps: DiskDeps) {
    this.#deps = deps;
  }

  /** The disk as `process` has it, from now on. `writing` is told of each write, before it. */
  mount(process: Actor, writing: () => void): MemoryDisk {
    const { scheduler, prng } = this.#deps;
    this.#disk.delay = () => {
      const ms = this.#fault.kind === 'slow' ? this.#fault.ms : USUAL_MS;
      return scheduler.delay(process, prng.next() * ms, 'disk');
    };
    this.#disk.onOperation = (operation) => {
      if (operation.kind === 'write') writing();
      this.#perform(process, operation);
    };
    return this.#disk;
  }

  /** Sets what is wrong with it. */
  set fault(fault: DiskFault) {
    this.#fault = fault;
    this.#disk.capacityBytes =
      fault.kind === 'full' ? this.#usedBytes() + fault.roomBytes : Number.POSITIVE_INFINITY;
  }

  /** The process that had it is gone; `power`: with the machine, which kept so much of what was not synced. */
  crashed(kind: 'process' | 'power', keptBytes: number): void {
    this.#disk = this.#disk.afterCrash(kind, keptBytes);
  }

  #perform(process: Actor, { kind }: DiskOperation): void {
    const { scheduler, prng } = this.#deps;
    const fault = this.#fault;
    if (fault.kind === 'slow' && kind === 'write') scheduler.stall(process, prng.next() * fault.ms);
    if (fault.kind === 'failing' && kind === fault.operation && prng.chance(fault.probability)) {
      throw diskError('EIO');
    }
  }

  #usedBytes(): number {
    return this.#disk.list().reduce((sum, name) => sum + this.#disk.contents(name).length, 0);
  }
}

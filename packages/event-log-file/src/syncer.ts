import type { Clock, TimerHandle } from '@runwire/kernel';
import type { DiskMeter } from './disk-meter.js';
import type { Segment, Segments } from './segments.js';

/** What a syncer is built from. */
export interface SyncerDeps {
  readonly clock: Clock;
  readonly meter: DiskMeter;
  readonly segments: Segments;
}

/** Forces what was written to the hardware: once for everything that was written in between. */
export class Syncer {
  readonly #deps: SyncerDeps;
  readonly #intervalMs: number | undefined;
  readonly #dirty = new Set<Segment>();
  #timer: TimerHandle | undefined;
  #running: Promise<boolean> | undefined;

  /** Without an interval only what is asked for is synced. */
  constructor(deps: SyncerDeps, intervalMs: number | undefined) {
    this.#deps = deps;
    this.#intervalMs = intervalMs;
  }

  /** Something was written to the segment. */
  wrote(segment: Segment): void {
    this.#dirty.add(segment);
    if (this.#intervalMs === undefined) return;
    this.#timer ??= this.#deps.clock.setTimer(this.#intervalMs, () => {
      this.#timer = undefined;
      void this.sync();
    });
  }

  /** Settles when what was written so far has been synced; to false when the disk refused any of it. */
  async sync(): Promise<boolean> {
    while (this.#running !== undefined) await this.#running;
    this.#running = this.#syncAll();
    try {
      return await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  /** Stops the timer, after a last sync where it is running. */
  async close(): Promise<void> {
    if (this.#intervalMs !== undefined) await this.sync();
    this.#timer?.cancel();
  }

  /** In the order of writing, so that a power loss meanwhile takes an end and no middle. */
  async #syncAll(): Promise<boolean> {
    const { clock, meter, segments } = this.#deps;
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    let isSynced = true;
    for (const segment of dirty) {
      const sinceMs = clock.monotonicMs();
      try {
        await segment.file.sync();
        meter.synced(sinceMs);
      } catch (cause) {
        // The system may take the pages for written now: another sync of this file would prove nothing.
        segment.isSealed = true;
        segment.isDoubtful = true;
        meter.syncFailed(cause);
        isSynced = false;
      }
    }
    try {
      await segments.syncFolder();
    } catch (cause) {
      meter.syncFailed(cause);
      isSynced = false;
    }
    return isSynced;
  }
}

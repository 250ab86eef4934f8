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
  #running: Promise<void> | undefined;
  #failures = 0;

  /** Without an interval only what is asked for is synced. */
  constructor(deps: SyncerDeps, intervalMs: number | undefined) {
    this.#deps = deps;
    this.#intervalMs = intervalMs;
  }

  /** An earlier process has written the segment, and may not have synced it. */
  found(segment: Segment): void {
    this.#dirty.add(segment);
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

  /**
   * How often the disk refused. What was written while this stayed the same, and synced until then, is on the
   * hardware; a sync that failed may have been asked for by anybody.
   */
  get failures(): number {
    return this.#failures;
  }

  /** Settles when what was written so far has been synced, or refused by the disk. */
  async sync(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    this.#running = this.#syncAll();
    try {
      await this.#running;
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
  async #syncAll(): Promise<void> {
    const { clock, meter, segments } = this.#deps;
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    for (const segment of dirty) {
      const sinceMs = clock.monotonicMs();
      try {
        await segment.file.sync();
        meter.synced(sinceMs);
      } catch (cause) {
        // The system may take the pages for written now: another sync of this file would prove nothing.
        segment.isSealed = true;
        segment.isDoubtful = true;
        this.#failed(cause);
      }
    }
    try {
      await segments.syncFolder();
    } catch (cause) {
      this.#failed(cause);
    }
  }

  #failed(cause: unknown): void {
    this.#failures += 1;
    this.#deps.meter.syncFailed(cause);
  }
}

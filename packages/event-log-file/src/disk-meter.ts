import type { Clock, Logger } from '@runwire/kernel';
import { codeOf } from './errors.js';

/** How often a failing disk, and a slow one, is logged at most. */
const LOG_INTERVAL_MS = 10_000;

/** Counts what the disk does and fails to do, and says so: rarely, so that a bad disk does not fill the log. */
export class DiskMeter {
  writes = 0;
  bytesWritten = 0;
  syncs = 0;
  slowDisk = 0;
  longestDiskMs = 0;
  failedWrites = 0;
  failedSyncs = 0;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #slowDiskMs: number;
  /** The codes of the failures that the last write and the last sync met. */
  readonly #failing = new Map<'write' | 'sync', string>();
  /** The present failure was logged, so its end will be. */
  #isLogged = false;
  #failureLoggedAtMs = Number.NEGATIVE_INFINITY;
  #slownessLoggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: { readonly clock: Clock; readonly logger: Logger }, slowDiskMs: number) {
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#slowDiskMs = slowDiskMs;
  }

  /** The code of the failure that the last write, or the last sync, met; undefined when both succeeded. */
  get failing(): string | undefined {
    return this.#failing.get('write') ?? this.#failing.get('sync');
  }

  wrote(bytes: number, sinceMs: number): void {
    this.writes += 1;
    this.bytesWritten += bytes;
    this.#took('write', sinceMs);
    this.#succeeded('write');
  }

  synced(sinceMs: number): void {
    this.syncs += 1;
    this.#took('sync', sinceMs);
    this.#succeeded('sync');
  }

  writeFailed(cause: unknown): void {
    this.failedWrites += 1;
    this.#failed('write', cause, 'The disk does not take events; appends are rejected until it does.');
  }

  syncFailed(cause: unknown): void {
    this.failedSyncs += 1;
    this.#failed('sync', cause, 'The disk did not sync; what was written may not survive a power loss.');
  }

  #failed(what: 'write' | 'sync', cause: unknown, message: string): void {
    const code = codeOf(cause);
    this.#failing.set(what, code);
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#failureLoggedAtMs < LOG_INTERVAL_MS) return;
    this.#failureLoggedAtMs = nowMs;
    this.#isLogged = true;
    this.#logger.error({ err: cause, code }, message);
  }

  #succeeded(what: 'write' | 'sync'): void {
    if (this.#failing.size === 0 || !this.#failing.delete(what)) return;
    if (this.#failing.size > 0 || !this.#isLogged) return;
    this.#isLogged = false;
    this.#logger.info({}, 'The disk works again.');
  }

  #took(what: string, sinceMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    const tookMs = nowMs - sinceMs;
    if (tookMs > this.longestDiskMs) this.longestDiskMs = tookMs;
    if (tookMs <= this.#slowDiskMs) return;
    this.slowDisk += 1;
    if (nowMs - this.#slownessLoggedAtMs < LOG_INTERVAL_MS) return;
    this.#slownessLoggedAtMs = nowMs;
    this.#logger.warn({ what, tookMs }, 'The disk is slow.');
  }
}

import type { ThreadId } from '@runwire/id-generation';
import type { Logger, TimerHandle } from '@runwire/kernel';
import { nextJob } from './compaction-job.js';
import { SegmentCompaction, type SegmentCompactionDeps, Stopped } from './segment-compaction.js';
import type { UserLog } from './user-log.js';

/** What compaction works on. */
export interface CompactionDeps extends SegmentCompactionDeps {
  readonly logger: Logger;
  readonly maxSegmentBytes: number;
}

/** From the first reason to free disk space, so that one pass serves many reasons. */
const SPACE_DELAY_MS = 60_000;
/** From the first erasure. Each pass over the newest segment begins another, so it comes rarely. */
const ERASURE_DELAY_MS = 30 * 60_000;
/** An erasure that a pass is to finish. */
interface PendingErasure {
  readonly user: UserLog;
  readonly threadId: ThreadId;
  readonly through: number;
}

/**
 * Takes off the disk what nobody can read any more. What later starts must still know of the records that go
 * (positions, producers, ended runs) is written first, as a state record of each user concerned.
 */
export class Compaction {
  readonly #deps: CompactionDeps;
  readonly #rewriter: SegmentCompaction;
  #timer: { readonly dueAtMs: number; readonly handle: TimerHandle } | undefined;
  #erasuresDueAtMs = Number.POSITIVE_INFINITY;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(deps: CompactionDeps) {
    this.#deps = deps;
    this.#rewriter = new SegmentCompaction(deps, () => this.#isClosed);
  }

  /** Users are counted on to stay as they are. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** There may be space to free. */
  consider(): void {
    this.#schedule(this.#deps.clock.monotonicMs() + SPACE_DELAY_MS);
  }

  /** Events of the user are to leave the disk: those in the given segments, and what can be read no more. */
  erased(user: UserLog, numbers: ReadonlySet<number>): void {
    const { segments, clock } = this.#deps;
    const lastDropped = user.record(0)?.segment ?? Number.POSITIVE_INFINITY;
    let isDue = false;
    for (const segment of segments.all()) {
      const { number, isDamaged, end, headerBytes, liveBytes } = segment;
      const isInRange = user.oldestDropped > 0 && number >= user.oldestDropped && number <= lastDropped;
      const hasDropped = isInRange && end - headerBytes > liveBytes;
      if (!numbers.has(number) && !hasDropped && !isDamaged) continue;
      segment.holdsErased = true;
      isDue = true;
    }
    if (!isDue) return;
    this.#erasuresDueAtMs = Math.min(this.#erasuresDueAtMs, clock.monotonicMs() + ERASURE_DELAY_MS);
    this.#schedule(this.#erasuresDueAtMs);
  }

  /** Goes on with erasures that an earlier process has not finished. */
  resumeErasures(): void {
    for (const user of this.#deps.users.all()) {
      if (user.erasures.size === 0) continue;
      const through = Math.max(...user.erasures.values());
      const numbers = new Set<number>();
      for (let position = 0; position < user.recordCount; position += 1) {
        const record = user.record(position);
        if (record !== undefined) numbers.add(record.segment);
        if (record === undefined || record.lastSeq >= through) break;
      }
      this.erased(user, numbers);
    }
  }

  /** Does everything there is to do. @throws what the disk says; it is tried again by itself then */
  async run(): Promise<void> {
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    if (this.#isClosed) return;
    this.#erasuresDueAtMs = Number.NEGATIVE_INFINITY;
    this.#running = this.#pass();
    try {
      await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.handle.cancel();
    await this.#running?.catch(() => undefined);
  }

  #schedule(dueAtMs: number): void {
    if (this.#isClosed || (this.#timer !== undefined && this.#timer.dueAtMs <= dueAtMs)) return;
    this.#timer?.handle.cancel();
    const { clock, logger } = this.#deps;
    const handle = clock.setTimer(dueAtMs - clock.monotonicMs(), () => {
      this.#timer = undefined;
      this.#running ??= this.#pass()
        .catch((cause: unknown) => {
          logger.error({ err: cause }, 'The event log could not be compacted; it is tried again.');
        })
        .finally(() => {
          this.#running = undefined;
        });
    });
    this.#timer = { dueAtMs, handle };
  }

  async #pass(): Promise<void> {
    const { clock, segments, maxSegmentBytes } = this.#deps;
    const areErasuresDue = this.#erasuresDueAtMs <= clock.monotonicMs();
    const erased = areErasuresDue ? segments.all().filter(({ holdsErased }) => holdsErased) : [];
    const pending = areErasuresDue ? this.#pendingErasures() : [];
    if (areErasuresDue) this.#erasuresDueAtMs = Number.POSITIVE_INFINITY;
    try {
      segments.removeSuperfluous();
      for (const segment of erased) if (segment.holdsErased) await this.#rewriter.compact([segment]);
      for (;;) {
        const job = nextJob(segments, maxSegmentBytes);
        if (job === undefined) break;
        await this.#rewriter.compact(job);
      }
      await this.#finish(pending);
    } catch (cause) {
      if (cause instanceof Stopped) return;
      if (areErasuresDue) this.#erasuresDueAtMs = clock.monotonicMs() + SPACE_DELAY_MS;
      this.consider();
      throw cause;
    }
    if (Number.isFinite(this.#erasuresDueAtMs)) this.#schedule(this.#erasuresDueAtMs);
  }

  #pendingErasures(): PendingErasure[] {
    const pending: PendingErasure[] = [];
    for (const user of this.#deps.users.all()) {
      for (const [threadId, through] of user.erasures) pending.push({ user, threadId, through });
    }
    return pending;
  }

  /** What was erased is not on the disk any more: there is nothing to remember of it. */
  async #finish(pending: readonly PendingErasure[]): Promise<void> {
    const finished = new Set<UserLog>();
    for (const { user, threadId, through } of pending) {
      if (user.erasures.get(threadId) !== through) continue;
      const rest = new Map(user.erasures);
      rest.delete(threadId);
      user.erasures = rest;
      finished.add(user);
    }
    await this.#rewriter.restateAll(finished);
  }
}

import { EventLogError } from '@runwire/event-log';
import type { Clock } from '@runwire/kernel';
import type { DiskMeter } from './disk-meter.js';
import { codeOf } from './errors.js';
import { RecordBuffer } from './record-buffer.js';
import type { Segment, Segments } from './segments.js';
import { mustWait } from './write-group.js';
import type { WriteItem } from './write-item.js';

/** A group takes no more items when it has this much. */
const MAX_GROUP_BYTES = 4 * 1_048_576;
/** So many waiting events are written at once, without waiting for the turn's end. */
const MAX_EVENTS_OF_TURN = 512;

/** What a group writer is built from. */
export interface GroupWriterDeps {
  readonly clock: Clock;
  readonly segments: Segments;
  readonly meter: DiskMeter;
  /** The time of the next group: never before the last one's. */
  readonly at: () => number;
  /** Called after a group was written. */
  readonly onWritten: (segment: Segment) => void;
}

/** How a group writer writes. */
export interface GroupWriterOptions {
  readonly maxSegmentBytes: number;
  /** Write and sync in the thread pool before anything settles; otherwise write at once, sync elsewhere. */
  readonly syncsEachGroup: boolean;
  /** Items that may wait for a sync; more are refused. */
  readonly maxWaiting: number;
}

/**
 * Writes what is submitted, in order, in groups of one system call each. After a pause a group is what is submitted
 * together; while more keep coming, what one turn brings (or what comes while the group before is being synced).
 */
export class GroupWriter {
  readonly #deps: GroupWriterDeps;
  readonly #options: GroupWriterOptions;
  readonly #buffer = new RecordBuffer();
  #waiting: WriteItem[] = [];
  #waitingEvents = 0;
  #group = 0;
  /** A group is to be written when what submits has ended, or a turn's end is awaited. */
  #isBusy = false;
  /** Groups are being written in the thread pool, one after the other. */
  #flight: Promise<void> | undefined;
  #groupInFlight: Promise<void> | undefined;

  constructor(deps: GroupWriterDeps, options: GroupWriterOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Items that wait for their group. */
  get waiting(): number {
    return this.#waiting.length;
  }

  submit(item: WriteItem): void {
    const { syncsEachGroup, maxWaiting } = this.#options;
    if (syncsEachGroup && this.#waiting.length >= maxWaiting) {
      item.failed(writeFailed('BACKLOG', `${this.#waiting.length} wait for the disk already`));
      return;
    }
    item.user.holds += 1;
    this.#waiting.push(item);
    this.#waitingEvents += item.count;
    if (syncsEachGroup) {
      this.#flight ??= this.#fly();
    } else if (this.#waitingEvents >= MAX_EVENTS_OF_TURN) {
      this.flush();
    } else if (!this.#isBusy) {
      this.#isBusy = true;
      queueMicrotask(() => {
        this.flush();
        this.#awaitTurn();
      });
    }
  }

  /** Settles when everything submitted so far has been written or has failed. */
  async settled(): Promise<void> {
    this.flush();
    while (this.#flight !== undefined) await this.#flight;
  }

  /** Settles when no group is on its way to the segment that is active now. */
  async landed(): Promise<void> {
    await this.#groupInFlight;
  }

  /** Writes what waits, now. With a sync for each group this is left to the flight under way. */
  flush(): void {
    if (this.#options.syncsEachGroup) return;
    this.#waitingEvents = 0;
    while (this.#waiting.length > 0) {
      const group = this.#assemble();
      if (group.length > 0) this.#write(group);
    }
  }

  #awaitTurn(): void {
    this.#deps.clock.nextTurn(() => {
      this.#isBusy = false;
      if (this.#waiting.length === 0) return;
      this.flush();
      this.#awaitTurn();
    });
  }

  /** Takes what may be written together off the waiting items. What is refused fails here, alone. */
  #assemble(): WriteItem[] {
    const group: WriteItem[] = [];
    const at = this.#deps.at();
    this.#group += 1;
    this.#buffer.clear();
    let taken = 0;
    for (const item of this.#waiting) {
      const earlier = item.user.group === this.#group ? item.user.placeInGroup : -1;
      if (this.#buffer.length >= MAX_GROUP_BYTES || mustWait(item, earlier, group)) break;
      taken += 1;
      const start = this.#buffer.length;
      if (!this.#encode(item, at)) continue;
      item.user.group = this.#group;
      item.user.placeInGroup = group.length;
      item.offsetInGroup = start;
      item.earlierInGroup = earlier;
      group.push(item);
    }
    this.#waiting = taken === this.#waiting.length ? [] : this.#waiting.slice(taken);
    return group;
  }

  /** False when there is nothing to write. */
  #encode(item: WriteItem, at: number): boolean {
    try {
      if (item.encode(this.#buffer, at) > 0) return true;
    } catch (error) {
      item.failed(error);
    }
    item.user.holds -= 1;
    return false;
  }

  #write(group: readonly WriteItem[]): void {
    const sinceMs = this.#deps.clock.monotonicMs();
    const { bytes } = this.#buffer;
    let segment: Segment | undefined;
    try {
      segment = this.#room(bytes.length);
      segment.file.write(bytes, segment.end);
    } catch (cause) {
      this.#deps.meter.writeFailed(cause);
      this.#undo(segment, group, cause);
      return;
    }
    this.#deps.meter.wrote(bytes.length, sinceMs);
    this.#settle(segment, group, bytes.length);
  }

  async #fly(): Promise<void> {
    // What is submitted in this turn goes together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#assemble();
      if (group.length === 0) continue;
      this.#groupInFlight = this.#writeAndSync(group);
      await this.#groupInFlight;
    }
    this.#groupInFlight = undefined;
    this.#flight = undefined;
  }

  async #writeAndSync(group: readonly WriteItem[]): Promise<void> {
    const { clock, meter, segments } = this.#deps;
    const { bytes } = this.#buffer;
    let sinceMs = clock.monotonicMs();
    let segment: Segment | undefined;
    try {
      segment = this.#room(bytes.length);
      await segment.file.writeLater(bytes, segment.end);
    } catch (cause) {
      meter.writeFailed(cause);
      this.#undo(segment, group, cause);
      return;
    }
    meter.wrote(bytes.length, sinceMs);
    sinceMs = clock.monotonicMs();
    try {
      await segment.file.sync();
      await segments.syncFolder();
    } catch (cause) {
      // The system may take the pages for written now, also the one that earlier groups end in: another sync of
      // this file would prove nothing.
      segment.isSealed = true;
      segment.isDoubtful = true;
      meter.syncFailed(cause);
      this.#undo(segment, group, cause);
      return;
    }
    meter.synced(sinceMs);
    this.#settle(segment, group, bytes.length);
  }

  /** The segment that takes the next group; a new one when the present one is full or given up. */
  #room(bytes: number): Segment {
    const { segments } = this.#deps;
    const active = segments.active;
    if (active === undefined || active.isSealed) return segments.begin();
    const isEmpty = active.end === active.headerBytes;
    return isEmpty || active.end + bytes <= this.#options.maxSegmentBytes ? active : segments.begin();
  }

  #settle(segment: Segment, group: readonly WriteItem[], bytes: number): void {
    const start = segment.end;
    const writtenAtMs = this.#deps.clock.monotonicMs();
    segment.end += bytes;
    segment.liveBytes += bytes;
    for (const item of group) {
      item.user.holds -= 1;
      item.written({ segment: segment.number, offset: start + item.offsetInGroup, writtenAtMs });
    }
    this.#deps.onWritten(segment);
  }

  /** Takes back what may be in the file of a group that nobody was told of, and rejects it. */
  #undo(segment: Segment | undefined, group: readonly WriteItem[], cause: unknown): void {
    if (segment !== undefined) cut(segment);
    const code = codeOf(cause);
    for (const item of group) {
      item.user.holds -= 1;
      item.user.reserved = item.user.head;
      item.failed(writeFailed(code, code, cause));
    }
  }
}

function cut(segment: Segment): void {
  try {
    segment.file.truncate(segment.end);
  } catch {
    // The next segment says where this one ends.
    segment.isSealed = true;
    segment.hasLeftover = true;
  }
}

function writeFailed(code: string, why: string, cause?: unknown): EventLogError {
  return new EventLogError('LOG_WRITE_FAILED', `The disk did not take the events (${why}).`, {
    cause,
    details: { code },
  });
}

import type { LogDisk, LogFile } from './disk.js';
import { encodeSegmentHeader, rewriteName, segmentName } from './segment-format.js';

/** One segment file. */
export interface Segment {
  readonly number: number;
  /** The last segment whose records are in this file; see `SegmentHeader`. */
  through: number;
  /** As its header says it. */
  readonly previousEnd: number;
  headerBytes: number;
  file: LogFile;
  /** Where what belongs to the log ends. */
  end: number;
  /** Of records that are still needed. */
  liveBytes: number;
  /** It has, or may have, events that were erased since it was written. */
  holdsErased: boolean;
  /** Some of its bytes are no valid records. */
  isDamaged: boolean;
  /** Nothing may be appended to it any more: it is full, or its last write or sync failed. */
  isSealed: boolean;
  /** A sync of it failed: what it has may not survive a power loss, whatever a later sync says. */
  isDoubtful: boolean;
  /** Bytes that do not belong to the log stand behind its end, and could not be cut off. */
  hasLeftover: boolean;
}

/** A segment that is all right and has nothing in it. */
export function newSegment(
  identity: Pick<Segment, 'number' | 'through' | 'previousEnd' | 'headerBytes' | 'file'>,
): Segment {
  return {
    ...identity,
    end: identity.headerBytes,
    liveBytes: 0,
    holdsErased: false,
    isDamaged: false,
    isSealed: false,
    isDoubtful: false,
    hasLeftover: false,
  };
}

/** The segment files of one log, in order; the last one is appended to. */
export class Segments {
  readonly epoch: string;
  readonly #disk: LogDisk;
  readonly #segments = new Map<number, Segment>();
  #active: Segment | undefined;
  /** Names that a merge has made superfluous, and that could not be removed yet. */
  readonly #superfluous = new Set<string>();
  /** Files were made or removed since the last sync of the folder was begun. */
  #isFolderDirty = false;
  #folderSync: Promise<void> | undefined;

  constructor(disk: LogDisk, epoch: string) {
    this.#disk = disk;
    this.epoch = epoch;
  }

  get count(): number {
    return this.#segments.size;
  }

  get active(): Segment | undefined {
    return this.#active;
  }

  get diskBytes(): number {
    let bytes = 0;
    for (const segment of this.#segments.values()) bytes += segment.end;
    return bytes;
  }

  all(): readonly Segment[] {
    return [...this.#segments.values()];
  }

  get(number: number): Segment | undefined {
    return this.#segments.get(number);
  }

  /** Takes an existing file; the last one taken is appended to. */
  adopt(segment: Segment): void {
    this.#segments.set(segment.number, segment);
    this.#active = segment;
  }

  /** Begins a new segment to append to. Leaves no file behind when the disk refuses. */
  begin(): Segment {
    this.#removeEmptyActive();
    const before = this.#active;
    const number = (before?.through ?? 0) + 1;
    const previousEnd = before?.end ?? 0;
    const header = { epoch: this.epoch, number, through: number, previousEnd, isRewritten: false };
    const bytes = encodeSegmentHeader(header);
    const file = this.#create(segmentName(number));
    try {
      file.write(bytes, 0);
    } catch (cause) {
      file.close();
      this.#tryRemove(segmentName(number));
      throw cause;
    }
    if (before !== undefined) before.isSealed = true;
    const segment = newSegment({ number, through: number, previousEnd, headerBytes: bytes.length, file });
    this.adopt(segment);
    return segment;
  }

  /** Removes a segment and its file. When the disk refuses, nothing has changed. */
  remove(segment: Segment): void {
    // The header that goes is what says where the segment before ends.
    const before = this.#before(segment);
    if (before?.hasLeftover === true) {
      before.file.truncate(before.end);
      before.hasLeftover = false;
    }
    this.#disk.remove(segmentName(segment.number));
    this.#forget(segment);
  }

  /** Puts the file in which a segment was written anew in the place of its own. */
  replaceFile(segment: Segment, file: LogFile): void {
    this.#disk.rename(rewriteName(segment.number), segmentName(segment.number));
    this.#isFolderDirty = true;
    segment.file.close();
    segment.file = file;
  }

  /** Takes a segment out whose records are in another file now. Its own goes when the disk lets it. */
  absorb(segment: Segment): void {
    this.#superfluous.add(segmentName(segment.number));
    this.#forget(segment);
  }

  /** Removes what merges have left behind. @throws what the disk says */
  removeSuperfluous(): void {
    for (const name of this.#superfluous) {
      if (this.#disk.list().includes(name)) this.#disk.remove(name);
      this.#superfluous.delete(name);
      this.#isFolderDirty = true;
    }
  }

  /** A record is no longer needed. */
  release(number: number, bytes: number): void {
    const segment = this.#segments.get(number);
    if (segment !== undefined) segment.liveBytes -= bytes;
  }

  /** Settles when the files made and removed so far are so after a power loss too. */
  async syncFolder(): Promise<void> {
    // One that is under way for somebody else may be for these files too: it must have ended first.
    while (this.#folderSync !== undefined) await this.#folderSync.catch(() => undefined);
    if (!this.#isFolderDirty) return;
    this.#isFolderDirty = false;
    this.#folderSync = this.#disk.syncDirectory();
    try {
      await this.#folderSync;
    } catch (cause) {
      this.#isFolderDirty = true;
      throw cause;
    } finally {
      this.#folderSync = undefined;
    }
  }

  close(): void {
    for (const segment of this.#segments.values()) segment.file.close();
    this.#segments.clear();
  }

  /** One whose every write failed: its successor takes its number, so that a failing disk collects no files. */
  #removeEmptyActive(): void {
    const active = this.#active;
    if (active === undefined || active.end > active.headerBytes) return;
    this.#disk.remove(segmentName(active.number));
    this.#forget(active);
    this.#active = this.all().at(-1);
  }

  #create(name: string): LogFile {
    // A file that an earlier, failed beginning could not remove is in the way, and has nothing in it.
    if (this.#disk.list().includes(name)) this.#disk.remove(name);
    this.#isFolderDirty = true;
    return this.#disk.create(name);
  }

  /** Best effort: what is left is in nobody's way. */
  #tryRemove(name: string): void {
    try {
      this.#disk.remove(name);
    } catch {
      // `create` tries again.
    }
  }

  #forget(segment: Segment): void {
    this.#segments.delete(segment.number);
    segment.file.close();
    this.#isFolderDirty = true;
  }

  #before(segment: Segment): Segment | undefined {
    const all = this.all();
    return all[all.indexOf(segment) - 1];
  }
}

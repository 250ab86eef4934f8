import type { UserId } from '@runwire/id-generation';
import type { LogDisk, LogFile } from './disk.js';
import { RecordBuffer } from './record-buffer.js';
import { RECORD_KIND } from './record-format.js';
import { encodeSegmentHeader, rewriteName } from './segment-format.js';
import { payloadOf, producerOf, type ScannedRecord } from './segment-scan.js';
import type { Segment, Segments } from './segments.js';
import { decodeEvents, recordFlags } from './stored-event.js';
import type { RecordPlace, UserLog } from './user-log.js';
import type { Users } from './users.js';

const FLUSH_BYTES = 1_048_576;

/** What a rewrite works on. */
export interface SegmentRewriteDeps {
  readonly disk: LogDisk;
  readonly segments: Segments;
  readonly users: Users;
}

interface MovedState {
  readonly userId: UserId;
  readonly from: RecordPlace;
  readonly to: RecordPlace;
  readonly length: number;
}

/**
 * Writes what is kept of neighbouring segments into one new file, which then takes the place of the first of
 * them at once.
 */
export class SegmentRewrite {
  readonly #deps: SegmentRewriteDeps;
  readonly #into: Segment;
  readonly #others: readonly Segment[];
  readonly #through: number;
  readonly #buffer = new RecordBuffer();
  /** The records taken over, beside each other: there may be hundreds of thousands. */
  readonly #users: UserLog[] = [];
  readonly #lastSeqs: number[] = [];
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  readonly #states: MovedState[] = [];
  #file: LogFile | undefined;
  #headerBytes = 0;
  /** Where the next byte goes. */
  #end = 0;

  constructor(deps: SegmentRewriteDeps, into: Segment, others: readonly Segment[]) {
    this.#deps = deps;
    this.#into = into;
    this.#others = others;
    this.#through = others.at(-1)?.through ?? into.through;
  }

  /** Takes a record of events over, without what was erased of it. */
  add(record: ScannedRecord, user: UserLog): void {
    this.#begin();
    const offset = this.#end + this.#buffer.length;
    const { firstSeq, count } = record.head;
    const length = user.erasures.size === 0 ? this.#addAsItIs(record) : this.#addServed(record, user);
    this.#users.push(user);
    this.#lastSeqs.push(firstSeq + count - 1);
    this.#offsets.push(offset);
    this.#lengths.push(length);
    this.#flushWhenFull();
  }

  /** Takes a state record of a user over. */
  addState(record: ScannedRecord, userId: UserId, segment: Segment): void {
    this.#begin();
    const from = { segment: segment.number, offset: record.offset };
    const to = { segment: this.#into.number, offset: this.#end + this.#buffer.length };
    this.#states.push({ userId, from, to, length: this.#addAsItIs(record) });
    this.#flushWhenFull();
  }

  /** Settles when the new file is on the hardware. */
  async finish(): Promise<void> {
    this.#flush();
    await this.#file?.sync();
  }

  /**
   * The new file takes the place of the first, and the others are of no use any more; without a record there is
   * no new file, and all go.
   */
  takePlace(): void {
    const { segments } = this.#deps;
    if (this.#file === undefined) {
      for (const segment of [...this.#others.toReversed(), this.#into]) segments.remove(segment);
      return;
    }
    segments.replaceFile(this.#into, this.#file);
    this.#switched();
    for (const segment of this.#others) segments.absorb(segment);
  }

  /** Gives up before the new file has taken its place: the old ones stay. */
  abandon(): void {
    if (this.#file === undefined || this.#into.file === this.#file) return;
    this.#file.close();
    try {
      this.#deps.disk.remove(rewriteName(this.#into.number));
    } catch {
      // The next rewrite, or the next start, tries again.
    }
  }

  #switched(): void {
    const into = this.#into;
    into.headerBytes = this.#headerBytes;
    into.end = this.#end;
    into.through = this.#through;
    into.isDamaged = false;
    into.isDoubtful = false;
    into.hasLeftover = false;
    into.liveBytes = 0;
    this.#users.forEach((user, index) => {
      const [lastSeq = 0, offset = 0, length = 0] = [
        this.#lastSeqs[index],
        this.#offsets[index],
        this.#lengths[index],
      ];
      if (user.move(lastSeq, { segment: into.number, offset, length })) into.liveBytes += length;
    });
    for (const { userId, from, to, length } of this.#states) {
      if (this.#deps.users.moveState(userId, from, to)) into.liveBytes += length;
    }
  }

  #begin(): void {
    if (this.#file !== undefined) return;
    const { disk, segments } = this.#deps;
    const { number, previousEnd } = this.#into;
    const name = rewriteName(number);
    if (disk.list().includes(name)) disk.remove(name);
    this.#file = disk.create(name);
    const identity = { epoch: segments.epoch, number, through: this.#through };
    const header = encodeSegmentHeader({ ...identity, previousEnd, isRewritten: true });
    this.#file.write(header, 0);
    this.#headerBytes = header.length;
    this.#end = header.length;
  }

  #addAsItIs({ source, start, head }: ScannedRecord): number {
    this.#buffer.addBytes(source.subarray(start, start + head.length));
    return head.length;
  }

  #addServed(record: ScannedRecord, user: UserLog): number {
    const { head, source } = record;
    const { from, to } = payloadOf(record);
    const events = decodeEvents(source, from, to).map((event) => user.served(event, head.at));
    const id = producerOf(record);
    const title = {
      kind: RECORD_KIND.events,
      flags: recordFlags(events),
      userId: user.userId,
      producer: id === undefined ? undefined : { id, attempt: head.attempt, n: head.n },
      firstSeq: head.firstSeq,
      count: head.count,
      at: head.at,
    };
    return this.#buffer.add(
      title,
      events.map(({ json }) => json),
    );
  }

  #flushWhenFull(): void {
    if (this.#buffer.length >= FLUSH_BYTES) this.#flush();
  }

  #flush(): void {
    if (this.#file === undefined || this.#buffer.length === 0) return;
    this.#file.write(this.#buffer.bytes, this.#end);
    this.#end += this.#buffer.length;
    this.#buffer.clear();
  }
}

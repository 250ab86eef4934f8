import { Buffer } from 'node:buffer';
import {
  type AcceptedAppend,
  type AppendResult,
  type EncodedBatch,
  type EncodedEvent,
  type EncodedLines,
  type EventLogObserver,
  type Producer,
  requireEventFits,
} from '@runwire/event-log';
import type { EventId, IdGenerator } from '@runwire/id-generation';
import type { EventDraft, EventEncoder } from '@runwire/protocol';
import type { RecordBuffer } from './record-buffer.js';
import { RECORD_KIND, type RecordTitle } from './record-format.js';
import type { RecordLocation } from './record-index.js';
import { decodeEvents, recordFlags } from './stored-event.js';
import type { UserLog } from './user-log.js';
import type { WriteItem, Written } from './write-item.js';

/** What every append of a log shares. */
export interface AppendContext {
  readonly epoch: string;
  readonly ids: Pick<IdGenerator, 'eventId'>;
  readonly encoder: EventEncoder;
  readonly maxEventBytes: number;
  readonly observer: EventLogObserver | undefined;
  /** Called when the events are in the log; does not throw. */
  readonly appended: (user: UserLog, append: AppendItem) => void;
}

/** What is appended. */
export interface AppendRequest {
  readonly user: UserLog;
  readonly drafts: readonly EventDraft[];
  readonly producer: Producer | undefined;
}

const NONE: readonly never[] = Object.freeze([]);
const NO_LINES = Buffer.alloc(0);
const NOT_WRITTEN: AppendResult = Object.freeze({
  epoch: '',
  firstSeq: 0,
  lastSeq: 0,
  lastId: '' as EventId,
  duplicate: false,
});
/** Up to here a wake carries a view of what was written, which keeps its whole block; a copy keeps only itself. */
const MAX_SHARED_BYTES = 4_096;

/**
 * One append on its way to the disk: the title of its own record, where that is, and what the ledger is told. As one
 * object, because there is one for each event that comes alone.
 */
export class AppendItem implements WriteItem, EncodedBatch, RecordTitle, RecordLocation, AcceptedAppend {
  readonly user: UserLog;
  /** None any more once they are written: the garbage collector would move them for whoever keeps the batch. */
  drafts: readonly EventDraft[];
  readonly count: number;
  readonly producer: Producer | undefined;
  offsetInGroup = 0;
  earlierInGroup = -1;
  readonly #context: AppendContext;
  readonly settled: Promise<AppendResult>;
  /** Once it is written. */
  result: AppendResult = NOT_WRITTEN;
  #resolve: ((result: AppendResult) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  /** Where the events stand, and how large each is, once they are encoded. */
  #lines: Buffer = NO_LINES;
  #sizes: readonly number[] = NONE;
  firstSeq = 0;
  lastSeq = 0;
  lastId = NOT_WRITTEN.lastId;
  length = 0;
  at = 0;
  segment = 0;
  offset = 0;

  constructor({ user, drafts, producer }: AppendRequest, context: AppendContext) {
    this.user = user;
    this.drafts = drafts;
    this.count = drafts.length;
    this.producer = producer;
    this.#context = context;
    // No deferred: its closures would double what an append takes in memory.
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get kind(): number {
    return RECORD_KIND.events;
  }

  get flags(): number {
    return recordFlags(this.drafts);
  }

  get userId(): string {
    return this.user.userId;
  }

  /** The ledger learns of an append when it is written: what it says of the same producer or run comes after. */
  waitsFor(earlier: WriteItem): boolean {
    if (!(earlier instanceof AppendItem)) return true;
    if (this.producer !== undefined && this.producer.id === earlier.producer?.id) return true;
    return this.drafts.some(({ runId }) => runId !== undefined && earlier.#concerns(runId));
  }

  #concerns(runId: string): boolean {
    return this.drafts.some((draft) => draft.runId === runId);
  }

  encode(target: RecordBuffer, at: number): number {
    const { user, drafts, producer } = this;
    const repeated = user.ledger.admit(drafts, producer);
    if (repeated !== undefined) {
      this.#resolve?.(repeated);
      return 0;
    }
    this.at = at;
    this.firstSeq = user.reserved + 1;
    this.lastSeq = user.reserved + drafts.length;
    target.begin(this);
    try {
      this.#write(target);
    } catch (error) {
      target.cancel();
      throw error;
    }
    this.length = target.finish();
    user.reserved = this.lastSeq;
    return this.length;
  }

  #write(target: RecordBuffer): void {
    const { ids, encoder, maxEventBytes } = this.#context;
    const { drafts, at } = this;
    const position = { seq: this.firstSeq, id: this.lastId, at };
    let linesBytes = drafts.length - 1;
    this.#sizes = drafts.map((draft, index) => {
      position.seq = this.firstSeq + index;
      position.id = ids.eventId();
      target.beginLine();
      encoder.write(draft, position, target);
      const bytes = target.lineLength;
      requireEventFits(draft.type, bytes, maxEventBytes);
      linesBytes += bytes;
      return bytes;
    });
    this.lastId = position.id;
    this.#lines = target.last(linesBytes);
  }

  get epoch(): string {
    return this.#context.epoch;
  }

  get events(): readonly EncodedEvent[] {
    return decodeEvents(this.#lines, 0, this.#lines.length);
  }

  get lines(): EncodedLines {
    const bytes = this.#lines.length <= MAX_SHARED_BYTES ? this.#lines : Buffer.from(this.#lines);
    return { bytes, sizes: this.#sizes };
  }

  written({ segment, offset, writtenAtMs }: Written): void {
    const { user, firstSeq, lastSeq, lastId } = this;
    const { epoch, observer, appended } = this.#context;
    this.segment = segment;
    this.offset = offset;
    this.result = { epoch, firstSeq, lastSeq, lastId, duplicate: false };
    user.push(this);
    user.ledger.record(this, writtenAtMs);
    this.drafts = NONE;
    appended(user, this);
    observer?.appended?.(this.result);
    this.#resolve?.(this.result);
  }

  failed(error: unknown): void {
    this.#reject?.(error);
  }
}

import { Buffer } from 'node:buffer';
import {
  type AcceptedAppend,
  type AnnouncedAppend,
  type AppendResult,
  type EncodedEvent,
  type EventLogObserver,
  type Producer,
  requireEventFits,
} from '@runwire/event-log';
import type { EventId, IdGenerator } from '@runwire/id-generation';
import type { EventDraft, EventEncoder } from '@runwire/protocol';
import type { RecordBuffer } from './record-buffer.js';
import { RECORD_KIND, type RecordTitle } from './record-format.js';
import type { RecordLocation } from './record-index.js';
import { recordFlags } from './stored-event.js';
import type { UserLog } from './user-log.js';
import type { WriteItem, Written } from './write-item.js';
import { WrittenEvent } from './written-event.js';

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
export class AppendItem implements WriteItem, AnnouncedAppend, RecordTitle, RecordLocation, AcceptedAppend {
  readonly user: UserLog;
  readonly drafts: readonly EventDraft[];
  readonly producer: Producer | undefined;
  offsetInGroup = 0;
  earlierInGroup = -1;
  readonly #context: AppendContext;
  readonly settled: Promise<AppendResult>;
  /** Once it is written. */
  result: AppendResult = NOT_WRITTEN;
  #resolve: ((result: AppendResult) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  /** Once it is encoded. */
  events: readonly EncodedEvent[] = NONE;
  /** Where the events stand. */
  #lines: Buffer | undefined;
  firstSeq = 0;
  length = 0;
  at = 0;
  segment = 0;
  offset = 0;

  constructor({ user, drafts, producer }: AppendRequest, context: AppendContext) {
    this.user = user;
    this.drafts = drafts;
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

  get count(): number {
    return this.drafts.length;
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
    target.begin(this);
    try {
      this.events = drafts.map((draft, index) => this.#write(draft, this.firstSeq + index, target));
    } catch (error) {
      target.cancel();
      throw error;
    }
    this.length = target.finish();
    const linesBytes = this.events.reduce((sum, { bytes }) => sum + bytes, drafts.length - 1);
    this.#lines = target.last(linesBytes);
    user.reserved += drafts.length;
    return this.length;
  }

  #write(draft: EventDraft, seq: number, target: RecordBuffer): EncodedEvent {
    const { ids, encoder, maxEventBytes } = this.#context;
    const position = { seq, id: ids.eventId(), at: this.at };
    target.beginLine();
    encoder.write(draft, position, target);
    const event = new WrittenEvent(draft, position, target.line());
    requireEventFits(event, maxEventBytes);
    return event;
  }

  lines(): Buffer | undefined {
    const lines = this.#lines;
    return lines === undefined || lines.length <= MAX_SHARED_BYTES ? lines : Buffer.from(lines);
  }

  get lastSeq(): number {
    return this.events[this.events.length - 1]?.seq ?? 0;
  }

  written({ segment, offset, writtenAtMs }: Written): void {
    const { user, events } = this;
    const { epoch, observer, appended } = this.#context;
    const first = events[0];
    const last = events[events.length - 1];
    if (first === undefined || last === undefined) return;
    this.segment = segment;
    this.offset = offset;
    this.result = { epoch, firstSeq: first.seq, lastSeq: last.seq, lastId: last.id, duplicate: false };
    user.push(this);
    user.ledger.record(this, writtenAtMs);
    appended(user, this);
    observer?.appended?.(this.result);
    this.#resolve?.(this.result);
  }

  failed(error: unknown): void {
    this.#reject?.(error);
  }
}

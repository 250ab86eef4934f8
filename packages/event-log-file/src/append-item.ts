import type { Buffer } from 'node:buffer';
import {
  type AnnouncedAppend,
  type AppendResult,
  type EncodedEvent,
  encodeDraft,
  type Producer,
} from '@runwire/event-log';
import type { IdGenerator } from '@runwire/id-generation';
import type { EventDraft, EventEncoder } from '@runwire/protocol';
import type { RecordBuffer } from './record-buffer.js';
import { RECORD_KIND } from './record-format.js';
import { recordFlags } from './stored-event.js';
import type { UserLog } from './user-log.js';
import type { WriteItem, Written } from './write-item.js';

/** What every append of a log shares. */
export interface AppendContext {
  readonly epoch: string;
  readonly ids: Pick<IdGenerator, 'eventId'>;
  readonly encoder: EventEncoder;
  readonly maxEventBytes: number;
  /** The time of the next record: never before the last one's. */
  readonly at: () => number;
  readonly monotonicMs: () => number;
  /** Called when the events are in the log; does not throw. */
  readonly appended: (user: UserLog, append: AnnouncedAppend) => void;
}

/** What is appended. */
export interface AppendRequest {
  readonly user: UserLog;
  readonly drafts: readonly EventDraft[];
  readonly producer: Producer | undefined;
}

/** One append on its way to the disk. */
export class AppendItem implements WriteItem, AnnouncedAppend {
  readonly user: UserLog;
  readonly drafts: readonly EventDraft[];
  readonly producer: Producer | undefined;
  readonly #context: AppendContext;
  readonly result: Promise<AppendResult>;
  #resolve: ((result: AppendResult) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  /** Once it is encoded. */
  events: readonly EncodedEvent[] = [];
  #target: RecordBuffer | undefined;
  /** Where the lines end in the target, and how many bytes they are. */
  #linesEnd = 0;
  #linesBytes = 0;
  #length = 0;
  #at = 0;

  constructor({ user, drafts, producer }: AppendRequest, context: AppendContext) {
    this.user = user;
    this.drafts = drafts;
    this.producer = producer;
    this.#context = context;
    // No deferred: its closures would double what an append takes in memory.
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
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

  encode(target: RecordBuffer): number {
    const { user, drafts, producer } = this;
    const repeated = user.ledger.admit(drafts, producer);
    if (repeated !== undefined) {
      this.#resolve?.(repeated);
      return 0;
    }
    this.#at = this.#context.at();
    target.begin({
      kind: RECORD_KIND.events,
      flags: recordFlags(drafts),
      userId: user.userId,
      producer,
      firstSeq: user.reserved + 1,
      count: drafts.length,
      at: this.#at,
    });
    try {
      this.events = this.#encodeEvents(target);
    } catch (error) {
      target.cancel();
      throw error;
    }
    this.#length = target.end();
    this.#target = target;
    this.#linesEnd = target.length;
    user.reserved += drafts.length;
    return this.#length;
  }

  /** Each goes where it is written from as soon as it is encoded. */
  #encodeEvents(target: RecordBuffer): EncodedEvent[] {
    const { ids, encoder, maxEventBytes } = this.#context;
    const options = { encoder, maxBytes: maxEventBytes, write: (json: string) => target.line(json) };
    const events: EncodedEvent[] = [];
    let seq = this.user.reserved;
    this.#linesBytes = this.drafts.length - 1;
    for (const draft of this.drafts) {
      seq += 1;
      const event = encodeDraft(draft, { seq, id: ids.eventId(), at: this.#at }, options);
      this.#linesBytes += event.bytes;
      events.push(event);
    }
    return events;
  }

  /** To be called before the next group is put together. */
  copyLines(): Buffer | undefined {
    return this.#target?.copy(this.#linesEnd - this.#linesBytes, this.#linesEnd);
  }

  written({ segment, offset }: Written): void {
    const { user, drafts, producer, events } = this;
    const { epoch, monotonicMs, appended } = this.#context;
    const first = events[0];
    const last = events[events.length - 1];
    if (first === undefined || last === undefined) return;
    const result = { epoch, firstSeq: first.seq, lastSeq: last.seq, lastId: last.id, duplicate: false };
    user.push({ lastSeq: last.seq, at: this.#at, segment, offset, length: this.#length });
    user.ledger.record({ drafts, producer, result }, monotonicMs());
    appended(user, this);
    this.#resolve?.(result);
  }

  failed(error: unknown): void {
    this.#reject?.(error);
  }
}

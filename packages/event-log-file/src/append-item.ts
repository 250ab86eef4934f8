import { type AppendResult, type EncodedEvent, encodeDraft, type Producer } from '@runwire/event-log';
import type { IdGenerator } from '@runwire/id-generation';
import { createDeferred, type Deferred } from '@runwire/kernel';
import type { EventDraft } from '@runwire/protocol';
import type { RecordBuffer } from './record-buffer.js';
import { RECORD_KIND } from './record-format.js';
import { recordFlags } from './stored-event.js';
import type { UserLog } from './user-log.js';
import type { WriteItem, Written } from './write-item.js';

/** What every append of a log shares. */
export interface AppendContext {
  readonly epoch: string;
  readonly ids: Pick<IdGenerator, 'eventId'>;
  readonly maxEventBytes: number;
  /** The time of the next record: never before the last one's. */
  readonly at: () => number;
  readonly monotonicMs: () => number;
  /** Called when the events are in the log; does not throw. */
  readonly appended: (user: UserLog, events: readonly EncodedEvent[], at: number) => void;
}

/** What is appended. */
export interface AppendRequest {
  readonly user: UserLog;
  readonly drafts: readonly EventDraft[];
  readonly producer: Producer | undefined;
}

/** One append on its way to the disk. */
export class AppendItem implements WriteItem {
  readonly user: UserLog;
  readonly drafts: readonly EventDraft[];
  readonly producer: Producer | undefined;
  readonly #context: AppendContext;
  readonly #result: Deferred<AppendResult> = createDeferred();
  #events: readonly EncodedEvent[] = [];
  #length = 0;
  #at = 0;

  constructor({ user, drafts, producer }: AppendRequest, context: AppendContext) {
    this.user = user;
    this.drafts = drafts;
    this.producer = producer;
    this.#context = context;
  }

  get result(): Promise<AppendResult> {
    return this.#result.promise;
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
      this.#result.resolve(repeated);
      return 0;
    }
    const { ids, maxEventBytes, at } = this.#context;
    const firstSeq = user.reserved + 1;
    this.#at = at();
    let bytes = 0;
    this.#events = drafts.map((draft, index) => {
      const stamp = { seq: firstSeq + index, id: ids.eventId(), at: this.#at };
      const event = encodeDraft(draft, stamp, maxEventBytes);
      bytes += event.bytes;
      return event;
    });
    const title = {
      kind: RECORD_KIND.events,
      flags: recordFlags(drafts),
      userId: user.userId,
      producer,
      firstSeq,
      count: drafts.length,
      at: this.#at,
    };
    const lines = this.#events.map(({ json }) => json);
    this.#length = target.add(title, lines, bytes);
    user.reserved += drafts.length;
    return this.#length;
  }

  written({ segment, offset }: Written): void {
    const { user, drafts, producer } = this;
    const { epoch, monotonicMs, appended } = this.#context;
    const first = this.#events[0];
    const last = this.#events.at(-1);
    if (first === undefined || last === undefined) return;
    const [firstSeq, lastSeq] = [first.seq, last.seq];
    const result = { epoch, firstSeq, lastSeq, lastId: last.id, duplicate: false };
    user.push({ lastSeq, at: this.#at, segment, offset, length: this.#length });
    user.ledger.record({ drafts, producer, result }, monotonicMs());
    appended(user, this.#events, this.#at);
    this.#result.resolve(result);
  }

  failed(error: unknown): void {
    this.#result.reject(error);
  }
}

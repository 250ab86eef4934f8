import type { EventId, RunId, ThreadId } from '@runwire/id-generation';
import type { EncodedEvent, RetentionOptions } from './contract.js';
import { encodeErased, isErasable } from './encoded-event.js';
import { EventWindow, type PageLimits } from './event-window.js';
import { createUserLedger, type UserLedger } from './user-ledger.js';

const UNLIMITED: PageLimits = Object.freeze({ limitEvents: Infinity, limitBytes: Infinity });

/**
 * One user's stream in memory. What an idle user without events keeps is the position of its head, two
 * fields; window and ledger exist while there is something in them.
 */
export class UserStream {
  #headSeq = 0;
  #headId: EventId | undefined;
  #window: EventWindow | undefined;
  #ledger: UserLedger | undefined;

  get head(): number {
    return this.#headSeq;
  }

  get headId(): EventId | undefined {
    return this.#headId;
  }

  get first(): number {
    return this.#window?.first ?? this.#headSeq + 1;
  }

  get ledger(): UserLedger | undefined {
    return this.#ledger;
  }

  /** Whether time alone can still change something: events that grow old, things to forget. */
  get isDormant(): boolean {
    return this.#window === undefined && this.#ledger === undefined;
  }

  idAt(seq: number): EventId | undefined {
    return seq === this.#headSeq ? this.#headId : this.#window?.idAt(seq);
  }

  push(events: readonly EncodedEvent[], at: number): void {
    this.#window ??= new EventWindow(this.#headSeq, this.#headId);
    for (const event of events) {
      this.#window.push(event, at);
      this.#headSeq = event.seq;
      this.#headId = event.id;
    }
  }

  page(after: number, limits: PageLimits): readonly EncodedEvent[] {
    return this.#window?.page(after, limits) ?? [];
  }

  /** The ledger, made when first needed. */
  openLedger(): UserLedger {
    this.#ledger ??= createUserLedger();
    return this.#ledger;
  }

  trim(before: number): void {
    this.#window?.dropBelow(before);
    this.#dropEmptyWindow();
  }

  /** Moves `first` until what is left is within the limits. The newest event goes by age alone. */
  retain(limits: Readonly<Required<RetentionOptions>>, nowMs: number): void {
    const window = this.#window;
    if (window === undefined) return;
    const oldestKept = nowMs - limits.maxAgeMs;
    while (window.oldestAt !== undefined && window.oldestAt < oldestKept) window.dropFirst();
    while (window.count > 1 && (window.count > limits.maxEvents || window.bytes > limits.maxBytes)) {
      window.dropFirst();
    }
    this.#dropEmptyWindow();
  }

  erase(threadId: ThreadId, nowMs: number): number {
    this.#ledger?.endRunsOf(threadId, { lastSeq: this.#headSeq, nowMs });
    const erased = this.#window?.replace((event, at) =>
      isErasable(event, threadId) ? encodeErased({ seq: event.seq, id: event.id, at }) : undefined,
    );
    return erased ?? 0;
  }

  /** `seq` of the first readable event of a run that started at `startedSeq`; `head + 1` when there is none. */
  firstSeqOf(runId: RunId, startedSeq: number): number {
    if (startedSeq >= this.first) return startedSeq;
    const events = this.page(this.first - 1, UNLIMITED);
    return events.find((event) => event.runId === runId)?.seq ?? this.#headSeq + 1;
  }

  /** Gives back memory that nothing needs any more. */
  tidy(nowMs: number): void {
    this.#window?.compact();
    this.#ledger?.forget(this.first, nowMs);
    if (this.#ledger?.isEmpty === true) this.#ledger = undefined;
  }

  #dropEmptyWindow(): void {
    if (this.#window?.count === 0) this.#window = undefined;
  }
}

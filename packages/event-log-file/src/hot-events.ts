import type { EncodedEvent } from '@runwire/event-log';
import type { UserLog } from './user-log.js';

interface HotRecord {
  readonly user: UserLog;
  readonly lastSeq: number;
  readonly bytes: number;
}

/** What an event takes in memory beside its JSON. */
const EVENT_OVERHEAD_BYTES = 256;
/** Dropped slots that are worth moving the rest for. */
const MIN_COMPACTED_SLOTS = 1_024;

/** Bounds what all users' newest events take in memory: the oldest records of anyone go first. */
export class HotEvents {
  readonly #maxBytes: number;
  #records: (HotRecord | undefined)[] = [];
  #start = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a record's events into memory. */
  add(user: UserLog, events: readonly EncodedEvent[], at: number): void {
    user.pushHot(events, at);
    let bytes = events.length * EVENT_OVERHEAD_BYTES;
    for (const event of events) bytes += event.bytes;
    this.#records.push({ user, lastSeq: user.head, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes && this.#start < this.#records.length) this.#dropFirst();
  }

  /** Forgets records whose events cannot be read any more, and are not in memory for that. */
  tidy(): void {
    this.#records = this.#records.filter((record) => record !== undefined && isInMemory(record));
    this.#start = 0;
    this.#bytes = this.#records.reduce((sum, record) => sum + (record?.bytes ?? 0), 0);
  }

  #dropFirst(): void {
    const record = this.#records[this.#start];
    if (record === undefined) return;
    this.#records[this.#start] = undefined;
    this.#start += 1;
    this.#bytes -= record.bytes;
    record.user.cool(record.lastSeq);
    if (this.#start >= MIN_COMPACTED_SLOTS && this.#start * 2 >= this.#records.length) {
      this.#records = this.#records.slice(this.#start);
      this.#start = 0;
    }
  }
}

function isInMemory({ user, lastSeq }: HotRecord): boolean {
  return user.hot !== undefined && user.hot.first <= lastSeq && user.hot.head >= lastSeq;
}

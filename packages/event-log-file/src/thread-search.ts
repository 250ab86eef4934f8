import { isErasable } from '@runwire/event-log';
import type { ThreadId } from '@runwire/id-generation';
import { SEARCH_PAGE, type StreamReader } from './stream-reader.js';
import type { UserLog } from './user-log.js';

/** Looks through a user's stream for the events of a thread, a page at a time. */
export class ThreadSearch {
  /** How many were found that can be read, when the search was finished. */
  events = 0;
  /** Numbers of the segments they are in, or others of the thread that can no longer be read. */
  readonly segments = new Set<number>();
  readonly #user: UserLog;
  readonly #threadId: ThreadId;
  readonly #reader: StreamReader;
  readonly #found: number[] = [];
  #seq = 0;

  constructor(user: UserLog, threadId: ThreadId, reader: StreamReader) {
    this.#user = user;
    this.#threadId = threadId;
    this.#reader = reader;
  }

  /**
   * Looks at the next page. False when the head is reached.
   *
   * @throws EventLogError `LOG_READ_FAILED`
   */
  advance(): boolean {
    const user = this.#user;
    const page = this.#reader.stored(user, this.#seq, SEARCH_PAGE);
    for (const event of page) {
      if (!isErasable(event, this.#threadId)) continue;
      this.#found.push(event.seq);
      this.segments.add(user.record(user.find(event.seq))?.segment ?? 0);
    }
    this.#seq = page.at(-1)?.seq ?? user.head;
    return this.#seq < user.head;
  }

  /** Looks at what is left, and counts what was neither trimmed nor erased meanwhile. */
  finish(): void {
    while (this.advance());
    const { first, erasures } = this.#user;
    const erasedThrough = erasures.get(this.#threadId) ?? 0;
    this.events = this.#found.filter((seq) => seq >= first && seq > erasedThrough).length;
  }
}

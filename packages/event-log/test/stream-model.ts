import { expect } from '@jest/globals';
import type { ThreadId, UserId } from '@runwire/id-generation';
import type { EventLog } from '../src/index.js';

interface ModelEvent {
  readonly title: string;
  readonly threadId: ThreadId;
  erased: boolean;
}

/** What a user's stream must be, kept in the simplest way: all events for ever, and the first readable one. */
export class StreamModel {
  readonly #log: EventLog;
  readonly #user: UserId;
  readonly #events: ModelEvent[] = [];
  readonly #ids: string[] = [];
  #first = 1;

  constructor(log: EventLog, user: UserId) {
    this.#log = log;
    this.#user = user;
  }

  get head(): number {
    return this.#events.length;
  }

  titleAt(seq: number): string | undefined {
    return this.#events[seq - 1]?.title;
  }

  async append(threadId: ThreadId, count: number): Promise<void> {
    const firstSeq = this.head + 1;
    const drafts = Array.from({ length: count }, (_, index) => {
      const title = `event ${firstSeq + index}`;
      this.#events.push({ title, threadId, erased: false });
      return { type: 'thread_updated' as const, threadId, data: { title } };
    });
    const result = await this.#log.append(this.#user, drafts);
    expect(result).toMatchObject({ firstSeq, lastSeq: this.head, duplicate: false });
    this.#ids[this.head - 1] = result.lastId;
  }

  async trim(share: number): Promise<void> {
    const before = Math.round((share / 100) * (this.head + 2));
    await this.#log.trim(this.#user, { before });
    this.#first = Math.max(this.#first, Math.min(before, this.head + 1));
  }

  async erase(threadId: ThreadId): Promise<void> {
    const due = this.#readable().filter((event) => event.threadId === threadId && !event.erased);
    for (const event of due) event.erased = true;
    expect(await this.#log.erase(this.#user, { threadId })).toBe(due.length);
  }

  /** Compares the whole readable stream, and where it stands. */
  async verify(): Promise<void> {
    const stream = await this.#log.stream(this.#user);
    expect([stream.first, stream.head]).toEqual([this.#first, this.head]);
    if (this.head > 0) expect(stream.headId).toBe(this.#ids[this.head - 1]);
    const after = { epoch: stream.epoch, seq: this.#first - 1 };
    const page = await this.#log.read(this.#user, { after, limitEvents: 1e9, limitBytes: 1e9 });
    const read = page.kind === 'page' ? page.events.map(({ json }) => titleOf(json)) : page;
    expect(read).toEqual(this.#readable().map(({ title, erased }) => (erased ? 'erased' : title)));
  }

  #readable(): ModelEvent[] {
    return this.#events.slice(this.#first - 1);
  }
}

/** What an event says: its title, or that it is erased. */
export function titleOf(json: string): string {
  const event = JSON.parse(json) as { type: string; data: { title?: string } };
  return event.data.title ?? event.type;
}

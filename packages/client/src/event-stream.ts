import { createDeferred, type Deferred } from '@runwire/kernel';
import type { RunwireEvent } from '@runwire/protocol/wire';

/** One `events()` iterator and its buffer. */
export interface EventStream {
  readonly iterator: AsyncIterableIterator<RunwireEvent>;
  /** True while the reader is so far behind that delivery pauses. */
  readonly full: boolean;
  push(event: RunwireEvent): void;
  /** No more events; what is buffered can still be read. */
  end(): void;
}

/** What a stream tells its owner. */
export interface EventStreamDeps {
  readonly maxBuffered: number;
  /** The reader has room again. */
  readonly onRoom: () => void;
  /** Iteration was stopped. */
  readonly onReturn: () => void;
}

/** Creates a stream. Full at `maxBuffered` unread events, until half of them are read. */
export function createEventStream(deps: EventStreamDeps): EventStream {
  return new BufferedStream(deps);
}

type Result = IteratorResult<RunwireEvent, undefined>;

class BufferedStream implements EventStream {
  readonly iterator: AsyncIterableIterator<RunwireEvent>;
  readonly #deps: EventStreamDeps;
  #buffer: RunwireEvent[] = [];
  #read = 0;
  #readers: Deferred<Result>[] = [];
  #full = false;
  #ended = false;

  constructor(deps: EventStreamDeps) {
    this.#deps = deps;
    this.iterator = {
      next: () => this.#next(),
      return: () => this.#return(),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  get full(): boolean {
    return this.#full;
  }

  push(event: RunwireEvent): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: event });
      return;
    }
    this.#buffer.push(event);
    if (this.#buffer.length - this.#read >= this.#deps.maxBuffered) this.#full = true;
  }

  end(): void {
    this.#ended = true;
    for (const reader of this.#readers) reader.resolve({ done: true, value: undefined });
    this.#readers = [];
  }

  async #next(): Promise<Result> {
    const value = this.#buffer[this.#read];
    if (value === undefined) {
      if (this.#ended) return { done: true, value: undefined };
      const reader = createDeferred<Result>();
      this.#readers.push(reader);
      return reader.promise;
    }
    this.#read += 1;
    const unread = this.#buffer.length - this.#read;
    if (unread <= this.#deps.maxBuffered / 2) {
      this.#buffer = this.#buffer.slice(this.#read);
      this.#read = 0;
      this.#makeRoom();
    }
    return { done: false, value };
  }

  async #return(): Promise<Result> {
    this.#buffer = [];
    this.#read = 0;
    this.end();
    this.#deps.onReturn();
    this.#makeRoom();
    return { done: true, value: undefined };
  }

  #makeRoom(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#deps.onRoom();
  }
}
